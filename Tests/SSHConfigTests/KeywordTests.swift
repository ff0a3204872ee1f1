import Faults
import Testing

@testable import SSHConfig

/// Lines of a file, and what `-G` says about them or what is said instead.
struct KeywordTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let file: String
        let keyword: String
        let values: [String]
        var testDescription: String { file }

        init(_ file: String, _ keyword: String, _ values: [String]) {
            self.file = file
            self.keyword = keyword
            self.values = values
        }
    }

    static let rows = [
        Row("Port 2222", "port", ["2222"]), Row("PORT = ssh", "port", ["22"]),
        Row("\"Port\" 7", "port", ["7"]), Row("Port 1\nPort 2", "port", ["1"]),
        Row("Port 7\u{c}\r\n", "port", ["7"]), Row("# Port 7\n\n   \n\t#x", "port", ["22"]),
        Row("User you", "user", ["you"]), Row("", "user", ["me"]),
        Row("Hostname %h.example.org", "hostname", ["target.example.org"]),
        Row("Hostname 127.0.0.1", "hostname", ["127.0.0.1"]),
        Row("Hostname UPPER", "hostname", ["upper"]),
        Row("BatchMode yes", "serveraliveinterval", ["300"]),
        Row("BatchMode yes\nServerAliveInterval 0", "serveraliveinterval", ["0"]),
        Row("SetupTimeOut 1m", "serveraliveinterval", ["60"]),
        Row("ConnectTimeout none\nConnectTimeout 5", "connecttimeout", ["5"]),
        Row("RekeyLimit 1G\nRekeyLimit 2G 1h", "rekeylimit", ["1073741824 3600"]),
        Row("RekeyLimit default none", "rekeylimit", ["0 0"]),
        Row("StreamLocalBindMask 1\nHost no\nStreamLocalBindMask 2", "streamlocalbindmask", ["02"]),
        Row("Host no\nSyslogFacility local1", "syslogfacility", ["LOCAL1"]),
        Row("IPQoS none", "ipqos", ["none none"]), Row("IPQoS ef 8", "ipqos", ["ef throughput"]),
        Row("EscapeChar ^B", "escapechar", ["\\^B"]),
        Row("EscapeChar none", "escapechar", ["none"]),
        Row("EscapeChar \\", "escapechar", ["\\\\"]),
        Row("EscapeChar \" \"", "escapechar", ["\\040"]),
        Row("LogLevel DEBUG", "loglevel", ["DEBUG"]), Row("LogLevel quiet", "loglevel", ["SILENT"]),
        Row("LogVerbose a b", "logverbose", ["a"]),
        Row("Tunnel yes", "tunnel", ["point-to-point"]), Row("Tunnel no", "tunnel", ["false"]),
        Row("TunnelDevice 3", "tunneldevice", ["3:any"]),
        Row("AddKeysToAgent confirm 5m", "addkeystoagent", ["confirm 300"]),
        Row("AddKeysToAgent 1h", "addkeystoagent", ["3600"]),
        Row("ControlPersist 0", "controlpersist", ["yes"]),
        Row("ControlPersist 5m", "controlpersist", ["300"]),
        Row("SendEnv LANG LC_*\nSendEnv -LC_* FOO", "sendenv", ["LANG", "FOO"]),
        Row("SetEnv A=1 B=\"x y\" A=2\nSetEnv C=3", "setenv", ["A=1", "B=x y"]),
        Row("IdentityFile a\nIdentityFile a\nIdentityFile b", "identityfile", ["a", "b"]),
        Row("CertificateFile c", "certificatefile", ["c"]),
        Row("UserKnownHostsFile ~/x %h", "userknownhostsfile", ["/home/me/x target"]),
        Row("UserKnownHostsFile none", "userknownhostsfile", ["none"]),
        Row("UserKnownHostsFile /x", "updatehostkeys", ["false"]),
        Row("UserKnownHostsFile ~/.ssh/known_hosts", "updatehostkeys", ["true"]),
        Row("VerifyHostKeyDNS ask", "updatehostkeys", ["false"]),
        Row("ProxyJump a,u@b:22", "proxyjump", ["a,u@b:22"]),
        Row("ProxyJump ::1", "proxyjump", []), Row("ProxyJump [::1]:2", "proxyjump", ["[::1]:2"]),
        Row("ProxyJump a\nProxyCommand b", "proxycommand", []),
        Row("ProxyCommand b\nProxyJump a", "proxycommand", ["b"]),
        Row("ProxyCommand none\nProxyJump a", "proxyjump", []),
        Row("ProxyCommand = x \"y", "proxycommand", []),
        Row("ProxyCommand =  x 'y' # z", "proxycommand", ["x 'y' # z"]),
        Row("LocalForward 8080 h:80\nLocalForward 8080 h:80", "localforward", ["8080 [h]:80"]),
        Row("LocalForward /a /b", "dynamicforward", ["/a"]),
        Row("LocalForward 1 socks:2", "localforward", []),
        Row("RemoteForward 9001", "remoteforward", ["9001 [socks]:0"]),
        Row("LocalForward 1 h:2\nClearAllForwardings yes", "localforward", []),
        Row("PermitRemoteOpen h:1 *:2", "permitremoteopen", ["h:1 *:2"]),
        Row("CanonicalDomains A.b. c", "canonicaldomains", ["a.b c"]),
        Row(
            "ProxyCommand x\nCanonicalizePermittedCNAMEs *.A:b *",
            "canonicalizePermittedcnames",
            ["*.a:b *:*"]
        ),
        Row("CanonicalizePermittedCNAMEs none", "canonicalizePermittedcnames", ["none"]),
        Row("ForwardAgent /tmp/%u", "forwardagent", ["/tmp/me"]),
        Row("ForwardAgent no\nForwardAgent /x", "forwardagent", ["/x"]),
        Row("ControlPath ~/%C", "controlpath", ["/home/me/" + hash]),
        Row("ControlPath none", "controlpath", []),
        Row("HostKeyAlias ABC", "hostkeyalias", ["abc"]),
        Row("IgnoreUnknown Foo*\nFooBar x y", "ignoreunknown", ["Foo*"]),
        Row("Protocol 1\nUseRoaming yes\nPort 9", "port", ["9"]),
        Row("ResumeTimeout 2h", "resumetimeout", ["7200"]), Row("", "resumetimeout", []),
        Row("EC2Users a,b c", "ec2users", ["a,b,c"]),
        Row("EC2Ways ssm,direct", "ec2ways", ["ssm,direct"]),
        Row("ResumeBuffer 16M", "resumebuffer", ["16777216"]),
        Row("EC2Host yes", "ec2host", ["yes"]),
    ]

    /// SHA-1 of box.example.org, target, 22 and me.
    static let hash = "2856cb9841fb590547473fe16b26dbb3ccf508b4"

    @Test("A line means what -G says", arguments: rows)
    func means(_ row: Row) {
        #expect(Reading.file(row.file).dump(row.keyword) == row.values)
    }

    struct Error: Sendable, CustomTestStringConvertible {
        let file: String
        let said: String
        var testDescription: String { file }

        init(_ file: String, _ said: String) {
            self.file = file
            self.said = said
        }
    }

    static let errors = [
        Error("Port", "/config line 1: no argument after keyword \"port\""),
        Error("\nPort 0", "/config line 2: Bad port '0'."),
        Error("Nope 1", "/config: line 1: Bad configuration option: nope"),
        Error("Port 1 2", "/config line 1: keyword port extra arguments at end of line"),
        Error("User \"x", "/config line 1: invalid quotes"),
        Error("User \"\"", "/config line 1: Missing argument."),
        Error("BatchMode maybe", "/config line 1: unsupported option \"maybe\"."),
        Error("BatchMode \"\"", "/config line 1: missing argument."),
        Error("ConnectTimeout x", "/config line 1: invalid time value."),
        Error("ConnectTimeout \"\"", "/config line 1: missing time value."),
        Error("ConnectionAttempts x", "/config line 1: integer value invalid."),
        Error("ConnectionAttempts -1", "/config line 1: integer value too small."),
        Error("ConnectionAttempts 0", "Invalid number of ConnectionAttempts"),
        Error("RekeyLimit 15", "/config line 1: RekeyLimit too small"),
        Error("RekeyLimit 1Z", "/config line 1: Bad number '1Z': Invalid argument"),
        Error("Ciphers x", "/config line 1: Bad SSH2 cipher spec 'x'."),
        Error("KexAlgorithms x", "Unsupported KEX algorithm \"x\""),
        Error("HostKeyAlgorithms x", "/config line 1: Bad key types 'x'."),
        Error("LocalForward 80", "/config line 1: Missing target argument."),
        Error("LocalForward 80 x", "/config line 1: Bad forwarding specification."),
        Error("PermitRemoteOpen x", "/config line 1: bad port number in permitremoteopen"),
        Error("SetEnv A", "/config line 1: Invalid SetEnv."),
        Error("SendEnv A=b", "/config line 1: Invalid environment name."),
        Error(
            "CanonicalDomains -x",
            "/config line 1: domain name \"-x\" starts with invalid character"
        ),
        Error("EscapeChar ab", "/config line 1: Bad escape character."),
        Error("ProxyJump a,,b", "/config line 1: Invalid ProxyJump \"a,,b\""),
        Error(
            "UserKnownHostsFile none x",
            "/config line 1: keyword userknownhostsfile \"none\" argument must appear alone."
        ),
        Error("ControlPath %z", "vdollar_percent_expand: unknown key %z"),
        Error("ControlPath ${NOPE}", "vdollar_percent_expand: env var ${NOPE} has no value"),
        Error("ControlPath ~nobody/x", "tilde_expand: No such user nobody"),
        Error("RemoteCommand x", "Cannot execute command-line and remote command."),
        Error("EC2Ways x", "/config line 1: unsupported option \"x\"."),
        Error(
            "KerberosAuthentication yes\nPort x",
            "/config line 1: Unsupported option \"kerberosauthentication\""
        ),
    ]

    @Test(
        "What is wrong is said in ssh's words, first things first",
        arguments: errors
    )
    func wrong(_ row: Error) {
        let outcome = Reading(files: ["/config": row.file]).outcome(command: "ls")
        #expect(outcome.options == nil)
        #expect(outcome.said.first == row.said)
    }

    @Test("Bad lines are counted at the end of their file")
    func counted() {
        let outcome = Reading.file("Nope 1\nPort x\nUser a b\nPort 9")
        #expect(outcome.said.last == "/config: terminating, 3 bad configuration options")
        #expect(outcome.said.count == 4)
    }

    @Test("Every keyword of the enumeration is in the table, and -G names each as the table does")
    func complete() {
        for keyword in Keyword.allCases {
            #expect(!KeywordTable.name(of: keyword).isEmpty, "\(keyword)")
        }
        let names = KeywordTable.rows.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(names.allSatisfy { $0 == $0.lowercased() })
    }
}
