import Foundation
import TestSupport
import Testing

/// The options about host keys that only some people set.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct HostKeyOptionTests {
    let client: Client
    let host = "admin@debian.lab"

    init() throws {
        client = try Client.withKey()
    }

    /// A public key file of an instance.
    private func hostKey(_ name: String) throws -> String {
        try client.lab.instance(name).hostKeys + "/ssh_host_ed25519_key.pub"
    }

    @Test(
        "RevokedHostKeys refuses a key that is in it, and lets others by",
        arguments: ["lines", "krl", "hashes"]
    )
    func revoked(form: String) async throws {
        for (name, isRevoked) in [("debian", true), ("ubuntu", false)] {
            let key = try hostKey(name)
            let list = client.user.path("revoked-\(name)")
            switch form {
            case "lines":
                let text = try String(contentsOfFile: key, encoding: .utf8)
                try client.user.write("revoked-\(name)", "# gone\n\n" + text)
            default:
                let input = client.user.path("input")
                let line = try String(contentsOfFile: key, encoding: .utf8)
                try client.user.write("input", form == "krl" ? line : "sha256: \(line)")
                let made = try await ProgramRun.run(
                    ["/usr/bin/ssh-keygen", "-q", "-k", "-f", list, input],
                    as: client.user
                )
                try #require(made.status == 0, "\(made.errorText)")
            }
            let run = try await client.run([
                "-oHostKeyAlgorithms=ssh-ed25519", "-oRevokedHostKeys=\(list)", host, "echo", "in",
            ])
            #expect(run.outputText == (isRevoked ? "" : "in\n"), "\(run.errorText)")
            if isRevoked {
                #expect(run.status == 255)
                #expect(run.errorText.contains("revoked by file \(list)"))
                #expect(run.errorLines.last == "Host key verification failed.")
            }
        }
    }

    @Test("a list of revoked keys that is not there or damaged lets no key pass")
    func unreadable() async throws {
        let noise = try client.user.write("noise", "SSHKRL\n\0damaged")
        for list in ["/nowhere/list", noise] {
            let run = try await client.run(["-oRevokedHostKeys=\(list)", host, "true"])
            #expect(run.status == 255)
            #expect(run.errorText.contains("in revoked keys file \(list): "))
        }
    }

    @Test("VisualHostKey shows what ssh shows")
    func picture() async throws {
        let arguments = ["-oVisualHostKey=yes", "-oHostKeyAlgorithms=ssh-ed25519", host, "true"]
        _ = try await client.run(arguments)
        let ours = try await client.run(arguments)
        let theirs = try await ProgramRun.run(
            ["/usr/bin/ssh"] + client.options + arguments,
            as: client.user
        )
        #expect(ours.errorText.contains("[SHA256]"))
        #expect(ours.errorText == theirs.errorText)
    }

    @Test("VerifyHostKeyDNS says in the question that no record matches")
    func noRecord() async throws {
        let run = try await ProgramRun.run(
            [
                client.binary, "-oStrictHostKeyChecking=ask", "-oVerifyHostKeyDNS=yes", host,
                "true",
            ],
            as: client.user,
            environment: [
                "SSH_ASKPASS": try client.user.write(
                    "askpass",
                    "#!/bin/sh\necho \"$1\" >> \(client.user.path("asked"))\necho no\n",
                    mode: 0o755
                ),
                "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
            ]
        )
        #expect(run.status == 255)
        let asked = client.user.contents("asked") ?? ""
        #expect(asked.contains("No matching host key fingerprint found in DNS.\n"))
    }

    @Test(
        "a record of the name proves a key only when it is validated and may count",
        arguments: [
            ("yes", "trust-ad", true, "in"), ("ask", "trust-ad", true, ""),
            ("yes", "rotate", true, ""), ("yes", "trust-ad", false, ""),
        ]
    )
    func records(option: String, resolver: String, isRight: Bool, output: String) async throws {
        let key = try hostKey("debian")
        let record =
            isRight
            ? "ssh-keygen -r x -f \(key) | awk '$5 == 2 { print $4, $5, $6 }'"
            : "echo 4 2 \(String(repeating: "00", count: 32))"
        try client.user.write("dns.py", nameServer)
        // One for each, as several of them run at once.
        let address = "127.53.0.\(client.user.number % 250 + 1)"
        let script = """
            cd \(client.user.home)
            printf 'nameserver \(address)\\noptions \(resolver)\\n' > resolv.conf
            mount --bind resolv.conf /etc/resolv.conf
            mkfifo ready; python3 dns.py \(address) $(\(record)) & server=$!
            read line < ready
            "$@"; status=$?
            kill $server; exit $status
            """
        let login = client.user.path("key.pem")
        // Mounts of its own, so that nobody else gets the name server; for that it is root.
        let result = try await ProgramRun.run([
            "/usr/bin/unshare", "-m", "/bin/sh", "-c", script, "sh", client.binary, "-F", "none",
            "-i", login, "-oBatchMode=yes", "-oUserKnownHostsFile=/dev/null",
            "-oGlobalKnownHostsFile=/dev/null", "-oHostKeyAlgorithms=ssh-ed25519",
            "-oVerifyHostKeyDNS=\(option)", host, "echo", "in",
        ])
        #expect(result.outputText == (output.isEmpty ? "" : output + "\n"), "\(result.errorText)")
        #expect(result.errorText.contains("Update the SSHFP RR in DNS") == !isRight)
    }

    /// Answers questions for SSHFP with one record.
    private var nameServer: String {
        """
        import socket, struct, sys
        address, key, kind, digest = sys.argv[1:]
        record = bytes([int(key), int(kind)]) + bytes.fromhex(digest)
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((address, 53))
        open("ready", "w").write("\\n")
        while True:
            question, peer = s.recvfrom(4096)
            end = 12
            while question[end]: end += question[end] + 1
            name = question[12:end + 5]
            wanted = struct.unpack(">H", question[end + 1:end + 3])[0] == 44
            answer = question[:2] + struct.pack(">HHHHH", 0x81a0, 1, wanted, 0, 0) + name
            if wanted:
                answer += struct.pack(">HHHIH", 0xc00c, 44, 1, 60, len(record)) + record
            s.sendto(answer, peer)
        """
    }
}
