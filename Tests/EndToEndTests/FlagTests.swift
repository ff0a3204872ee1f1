import Foundation
import TestSupport
import Testing

/// The flags that change what a run is.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct FlagTests {
    let client: Client
    let host: String

    init() throws {
        client = try Client.withKey()
        let plain = try client.lab.instance("plain")
        host = "\(plain.user)@\(plain.plainName)"
    }

    @Test(
        "nothing takes the place of algorithms that were asked for and are not there",
        arguments: [
            ("HostKeyAlgorithms", "ssh-dss", []),
            ("KexAlgorithms", "sntrup761x25519-sha512@openssh.com", []),
            ("MACs", "hmac-md5,umac-64@openssh.com", ["-o", "Ciphers=aes128-ctr"]),
        ]
    )
    func noSubstitute(keyword: String, names: String, options: [String]) async throws {
        let run = try await client.run(options + ["-o", "\(keyword)=\(names)", host, "echo in"])
        expectClearWords(run, within: .seconds(10))
        #expect(run.errorText.contains("libssh has none of what \(keyword) allows: \(names)"))
        #expect(run.errorText.contains("ec2sh: hint: run: ec2sh -Q \(keyword)"))
    }

    @Test(
        "what libssh has no way to is said once when it is asked for, and the run goes on",
        arguments: ["HostbasedAuthentication", "GSSAPIKeyExchange", "UpdateHostKeys"]
    )
    func impossible(keyword: String) async throws {
        let run = try await client.run(["-o", "\(keyword)=yes", host, "echo in"])
        #expect(complaints(run) == ["ec2sh: libssh cannot do \(keyword)"])
        #expect(run.outputText == "in\n")
        let quiet = try await client.run(["-o", "\(keyword)=no", host, "echo in"])
        #expect(complaints(quiet).isEmpty)
    }

    @Test("-V names OpenSSH, for tools that look for it")
    func version() async throws {
        let run = try await client.run(["-V"])
        #expect(run.status == 0)
        #expect(run.errorText.contains("OpenSSH"))
    }

    @Test("-W carries a connection to a port behind the server, to its end")
    func stdioForward() async throws {
        let debian = try client.lab.instance("debian")
        let run = try await client.run(
            ["-W", "\(debian.publicAddress ?? ""):22", host],
            input: .bytes(Data("SSH-2.0-test\r\nnot a packet, so it hangs up\r\n".utf8)),
            limit: .seconds(15)
        )
        #expect(run.outputText.hasPrefix(debian.banner + "\r\n"))
        #expect(!run.timedOut)
    }

    @Test("-W to a port where nobody listens fails with 255 and the server's reason")
    func stdioForwardRefused() async throws {
        let run = try await client.run(["-W", "127.0.0.1:9", host], limit: .seconds(15))
        #expect(run.status == 255)
        #expect(run.errorText.contains("open failed"))
    }

    @Test("-N runs nothing and stays until it is ended; SIGTERM then is status 0")
    func noCommand() async throws {
        let script = #""$@" & sleep 1.5; kill -TERM $!; wait $!; echo status $?"#
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options + ["-q", "-N", host],
            as: client.user,
            limit: .seconds(15)
        )
        #expect(run.outputText == "status 0\n")
    }

    @Test("-f goes into the background after the login, with the command running")
    func background() async throws {
        // The caller's stdout is the collected file, so the command's output arrives there later.
        let run = try await client.run(["-f", host, "sleep 0.5; echo done"], limit: .seconds(15))
        #expect(run.status == 0)
        #expect(run.duration < .seconds(10))
    }

    @Test("-f waits for the login and reports its failure itself")
    func backgroundFails() async throws {
        let run = try await client.run(
            ["-o", "BatchMode=yes", "-f", "nobody-there@plain.lab", "true"],
            limit: .seconds(15)
        )
        #expect(run.status == 255)
        #expect(run.errorText.contains("Permission denied"))
    }

    @Test("-tt makes a terminal although there is none here; -T makes none")
    func terminals() async throws {
        let forced = try await client.run(["-q", "-tt", host, "tty"])
        #expect(forced.outputText.hasPrefix("/dev/pts/"))
        let none = try await client.run(["-T", host, "tty"])
        #expect(none.outputText == "not a tty\n")
        #expect(none.status == 1)
    }

    @Test("-t without a terminal here says so and goes on without")
    func noTerminalHere() async throws {
        let run = try await client.run(["-t", host, "tty"])
        #expect(run.outputText == "not a tty\n")
        let line = "Pseudo-terminal will not be allocated because stdin is not a terminal."
        #expect(run.errorLines.contains(line))
    }

    @Test("-E puts our messages into a file and leaves the command's standard error alone")
    func logFile() async throws {
        let log = client.user.path("log")
        let run = try await client.run(["-v", "-E", log, host, "echo err >&2"])
        #expect(run.errorText == "err\n")
        #expect(client.user.contents("log")?.contains("debug1: ") == true)
    }

    @Test("-v tells each step, and more with each further v")
    func verbose() async throws {
        var sizes: [Int] = []
        for flag in ["-v", "-vv", "-vvv"] {
            let run = try await client.run([flag, host, "true"])
            #expect(run.status == 0)
            sizes.append(run.errorLines.count)
        }
        #expect(sizes[0] > 5)
        #expect(sizes == sizes.sorted())
    }

    @Test("-q says nothing of what goes wrong but is not fatal")
    func quiet() async throws {
        let run = try await client.run(["-q", host, "exit 7"])
        #expect(run.errorText == "")
        #expect(run.status == 7)
    }

    @Test("-l, -p, -o and ssh:// say the same thing in their own ways")
    func destinations() async throws {
        let name = "plain.lab"
        for arguments in [
            ["-l", "alice", name], ["-p", "22", "alice@\(name)"], ["-oUser=alice", name],
            ["-o", "User alice", name], ["ssh://alice@\(name):22"], ["ssh://alice@\(name)/"],
        ] {
            let run = try await client.run(arguments + ["id", "-un"])
            #expect(run.outputText == "alice\n", "\(arguments) \(run.errorText)")
        }
    }

    @Test(
        "a wrong command line is one line or the usage, and 255",
        arguments: [["-p", "0", "h"], ["-o", "NoSuchKeyword=1", "h"], ["-Z", "h"], []]
    )
    func wrongCommandLine(arguments: [String]) async throws {
        let run = try await client.run(arguments)
        #expect(run.status == 255)
        #expect(!run.errorText.isEmpty)
        #expect(run.output.isEmpty)
    }
}
