import Foundation
import TestSupport
import Testing

/// The same shell line with OpenSSH's client and with the binary under test in the place of SSH:
/// what it puts out, what it says and its status are the same.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct SideBySideTests {
    private struct Ground {
        let client: Client
        let target: String
        let options: [String]
    }

    /// One home for all lines; none of them changes it.
    private static let ground = Result<Ground, any Error> {
        let client = try Client()
        let key = try client.user.takeKey()
        let plain = try client.lab.instance("plain")
        let keys = try FileManager.default.contentsOfDirectory(atPath: plain.hostKeys)
            .filter { $0.hasSuffix("_key.pub") }
            .map { try String(contentsOfFile: "\(plain.hostKeys)/\($0)", encoding: .utf8) }
        let known = try client.user.write(
            "known",
            Data(keys.map { "\(plain.plainName) \($0)" }.joined().utf8)
        )
        return Ground(
            client: client,
            target: "\(plain.user)@\(plain.plainName)",
            options: [
                "-F", "none", "-i", key, "-o", "BatchMode=yes", "-o", "UserKnownHostsFile=\(known)",
            ]
        )
    }

    static let sessions = [
        #"SSH HOST echo a -b "'c  d'""#,
        #"SSH HOST -- echo a"#,
        #"SSH HOST -T -- echo a"#,
        #"SSH -n HOST 'cat; echo end'"#,
        #"echo data | SSH HOST 'cat; echo end'"#,
        #"echo data | SSH -n HOST 'cat; echo end'"#,
        #"SSH -o StdinNull=yes HOST 'cat; echo end'"#,
        #"SSH -T HOST 'tty; echo $TERM'"#,
        #"SSH -t HOST 'tty; echo $TERM'"#,
        #"SSH -tt HOST 'stty size; echo $TERM; exit 7'"#,
        #"SSH -o RequestTTY=force HOST 'tty >/dev/null && echo yes'"#,
        #"SSH -s HOST nosuch"#,
        #"SSH -o RemoteCommand='echo rc %h %n %r %%' HOST"#,
        #"SSH -o RemoteCommand='echo rc' HOST echo other"#,
        #"SSH -o RemoteCommand=none HOST echo other"#,
        #"SSH -o PermitLocalCommand=yes -o LocalCommand='echo %h %p %r %n %T; exit 3' HOST true"#,
        #"SSH -o LocalCommand='echo never' HOST true"#,
        #"SSH -o SetEnv='LC_A=1 LC_B=2' HOST 'echo $LC_A $LC_B'"#,
        #"SSH -o SetEnv='LC_A="a b"' HOST 'echo "$LC_A"'"#,
        #"SSH -o SendEnv='LC_*' -o SendEnv=LANG HOST 'echo $LC_X $LANG'"#,
        #"SSH -o SendEnv='LC_*' -o SendEnv='-LC_X' HOST 'echo $LC_X'"#,
        #"SSH -C HOST 'head -c 300000 /dev/zero' | wc -c"#,
        #"SSH -o IPQoS='af21 cs1' HOST echo hi"#,
        #"SSH -o TCPKeepAlive=no HOST echo hi"#,
        #"SSH -o ServerAliveInterval=1 HOST 'sleep 2; echo alive'"#,
        #"SSH HOST 'exec >&-; sleep 1; echo late >&2; exit 5'"#,
        #"SSH HOST 'exec >&- 2>&-; sleep 1; exit 6'"#,
        #"SSH HOST 'kill -TERM $$'"#,
        #"SSH HOST 'echo out; echo err >&2; exit 255'"#,
        #"SSH -o LogLevel=ERROR HOST echo hi"#,
        #"SSH -tt -o HostName=plain.lab alice@alias exit 3"#,
        #"SSH -4 HOST echo hi"#,
    ]

    static let refusals = [
        #"SSH -l nobody2 plain.lab echo hi"#,
        #"SSH -q -l nobody2 plain.lab echo hi"#,
        #"SSH -o LogLevel=QUIET -l nobody2 plain.lab echo hi"#,
        #"SSH -o HostName=plain.lab nobody2@alias echo hi"#,
        #"SSH -o PubkeyAuthentication=no HOST echo hi"#,
        #"SSH -o PubkeyAcceptedAlgorithms=ecdsa-sha2-nistp256 HOST echo hi"#,
        #"SSH -o PreferredAuthentications=password HOST echo hi"#,
        #"SSH -o PreferredAuthentications=keyboard-interactive HOST echo hi"#,
        #"SSH -o UserKnownHostsFile=/dev/null HOST echo hi"#,
        #"SSH -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=yes HOST echo hi"#,
        #"SSH -o HostKeyAlias=other HOST echo hi"#,
        #"SSH -o RevokedHostKeys=/nonexistent HOST echo hi"#,
        #"SSH -o RevokedHostKeys=$HOME/known HOST echo hi"#,
        #"SSH -o KnownHostsCommand=/bin/false HOST echo hi"#,
        #"SSH -o KnownHostsCommand=/no/such HOST echo hi"#,
        #"SSH -o KnownHostsCommand=relative HOST echo hi"#,
        #"SSH -o UserKnownHostsFile=none -o KnownHostsCommand="/bin/cat $HOME/known" HOST echo hi"#,
        #"SSH -o Ciphers=nonsense HOST echo hi"#,
        #"SSH -o Ciphers=3des-cbc HOST echo hi"#,
        #"SSH -o MACs=hmac-md5 HOST echo hi"#,
        #"SSH -p 1 HOST echo hi"#,
        #"SSH nosuch.lab echo hi"#,
        #"SSH -o AddressFamily=inet6 127.0.0.1 echo hi"#,
        #"SSH -o BindInterface=nope0 HOST echo hi"#,
        #"SSH -o BindAddress=198.51.100.77 HOST echo hi"#,
        #"SSH -W plain.lab:1 HOST"#,
        #"SSH -o CanonicalizeHostname=yes -o CanonicalDomains=lab alice@plain echo hi"#,
        #"SSH -o CanonicalizeHostname=yes -o CanonicalDomains=lab -o CanonicalizeFallbackLocal=no nosuch"#,
    ]

    static let forwards = [
        #"SSH -o ExitOnForwardFailure=yes -N -L 22:127.0.0.1:22 HOST"#,
        #"SSH -o ExitOnForwardFailure=yes -N -R 22:127.0.0.1:22 HOST"#,
        #"SSH -L 22:127.0.0.1:22 HOST echo hi"#,
        #"SSH -R 22:127.0.0.1:22 HOST echo hi"#,
        #"SSH -L 198.51.100.77:18113:127.0.0.1:22 HOST echo hi"#,
        #"SSH -L nosuch.lab:18113:127.0.0.1:22 HOST echo hi"#,
        #"SSH -R 0:127.0.0.1:22 HOST echo hi 2>&1 | sed 's/port [0-9]* /port N /'"#,
        #"SSH -L bad HOST"#,
        #"SSH -L 99999:a:1 HOST"#,
        #"SSH -o ClearAllForwardings=yes -L 22:127.0.0.1:22 HOST echo hi"#,
        #"SSH -R 18105:127.0.0.1:1 HOST 'bash -c "cat </dev/tcp/127.0.0.1/18105"; echo end'"#,
        // SOCKS to a port that nobody listens on: the client there sees the end.
        #"SSH -R 18106 HOST 'bash -c "exec 3<>/dev/tcp/127.0.0.1/18106; "'"#
            + #"'"printf "\5\1\0\5\1\0\1\177\0\0\1\0\1" >&3; cat <&3 | wc -c"'"#,
        #"SSH -O check HOST"#,
        #"SSH -S /nonexistent -O check HOST"#,
        #"SSH -O nonsense HOST"#,
        #"SSH -o ControlPath=/no/such/directory/c HOST echo direct"#,
    ]

    static let processes = [
        #"SSH -fN -o ProxyCommand='timeout 10 SSH -W %h:%p HOST' HOST; echo $?"#,
        #"SSH -f HOST 'sleep 1; echo background'; echo $?"#,
        #"SSH HOST 'sleep 100' & p=$!; sleep 2; kill -TERM $p; wait $p; echo $?"#,
        #"SSH HOST 'sleep 100' & p=$!; sleep 2; kill -HUP $p; wait $p; echo $?"#,
        #"SSH -N HOST & p=$!; sleep 2; kill -TERM $p; wait $p; echo $?"#,
        #"SSH HOST 'head -c 100000000 /dev/zero' | head -c 10 | wc -c"#,
        #"SSH -W plain.lab:22 HOST </dev/null | head -c 8"#,
        #"SSH -E log -v HOST echo hi; test -s log && echo logged"#,
        #"SSH -y HOST echo hi"#,
    ]

    @Test(
        "ssh and ec2sh do and say the same",
        arguments: sessions + refusals + forwards + processes
    )
    func same(line: String) async throws {
        let ground = try SideBySideTests.ground.get()
        let expected = try await run(line, with: "/usr/bin/ssh", ground)
        let found = try await run(line, with: ground.client.binary, ground)
        #expect(found.status == expected.status)
        #expect(found.outputText == expected.outputText)
        #expect(found.errorText == expected.errorText)
        #expect(!found.timedOut && !expected.timedOut)
    }

    private func run(
        _ line: String,
        with program: String,
        _ ground: Ground
    ) async throws
        -> ProgramRun
    {
        let command = ([program] + ground.options).joined(separator: " ")
        return try await ProgramRun.run(
            [
                "/bin/sh", "-c",
                line.replacingOccurrences(of: "SSH", with: command)
                    .replacingOccurrences(of: "HOST", with: ground.target),
            ],
            as: ground.client.user,
            environment: ["LC_X": "x", "LANG": "C.UTF-8", "TERM": "xterm"]
        )
    }
}
