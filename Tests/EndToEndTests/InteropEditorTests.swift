import Foundation
import TestSupport
import Testing

/// The calls of VS Code's Remote-SSH and of Emacs's TRAMP, as they make them.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct InteropEditorTests {
    let place: Workplace
    let host = "alice@plain.lab"

    init() throws { place = try Workplace() }

    @Test("-V says OpenSSH on standard error, by which VS Code knows an ssh it can use")
    func version() async throws {
        let run = try await place.run([place.ssh, "-V"])
        #expect(run.status == 0)
        #expect(run.errorText.contains("OpenSSH_"))
        #expect(run.output.isEmpty)
    }

    @Test(
        "VS Code's script goes in on standard input and its answers come out as they are made",
        arguments: [
            ["-T", "-o", "ConnectTimeout=15"], ["-v", "-T", "-o", "ConnectTimeout=15"],
            ["-T", "-o", "ClearAllForwardings=true", "-o", "ConnectTimeout=15"],
        ]
    )
    func script(options: [String]) async throws {
        let words = [place.ssh] + options + [host, "bash"]
        let (answers, run) = try await place.live(words) { live in
            // The next line is written when the answer to the one before has come.
            live.write("echo \"one:$((1 + 1)):\"\n")
            let one = try live.read(until: ":2:\n")
            live.write("uname -s; printf 'no line end'\n")
            let two = try live.read(until: "no line end")
            live.write("exit 9\n")
            return one + two
        }
        #expect(answers == "one:2:\nLinux\nno line end")
        #expect(run.status == 9, "\(run.errorText)")
    }

    @Test(
        "TRAMP's questions about options are answered by the exit status",
        arguments: ["ControlMaster=auto", "ControlPath='tramp.%C'", "ControlPersist=no"]
    )
    func probes(option: String) async throws {
        let run = try await place.shell("\"$SSH\" -G -o \(option) 0.0.0.1")
        #expect(run.status == 0, "\(run.errorText)")
        let unknown = try await place.shell("\"$SSH\" -G -o No\(option) 0.0.0.1")
        #expect(unknown.status == 255)
    }

    private static let sharing =
        "-o ControlMaster=auto -o ControlPath='tramp.%C' -o ControlPersist=no"

    @Test(
        "TRAMP's shell at a terminal answers its markers, and carries a file as text",
        arguments: [
            "-e none", "-e none -t -t -o RemoteCommand='/bin/sh -i'",
        ]
    )
    func tramp(options: String) async throws {
        let bytes = noise(20_000, seed: 12)
        let name = place.unique("tramp")
        let text = bytes.base64EncodedString(options: [
            .lineLength76Characters, .endLineWithLineFeed,
        ])
        let end = try await place.atTerminal(["/bin/sh", "-i"], environment: ["PS1": "local> "]) {
            terminal in
            try terminal.wait(for: "local> ")
            terminal.type("exec $SSH -l alice -p 22 \(Self.sharing) \(options) plain.lab\r")
            try terminal.wait(for: "$ ")
            let prompt = "///7f$"
            terminal.type(
                "exec env TERM='dumb' PROMPT_COMMAND='' PS1='\(prompt)' PS2='' /bin/sh -i\r"
            )
            try terminal.wait(for: "/bin/sh -i")
            try terminal.wait(for: prompt)
            terminal.type(
                "stty -inlcr -onlcr -echo kill '^U' erase '^H'; echo ///ready$((1+1))#$\r"
            )
            try terminal.wait(for: "///ready2#$\n")
            terminal.type("cd ~ && echo \"$PWD\"; echo ///$?#$\r")
            try terminal.wait(for: "/home/alice\n///0#$\n")
            terminal.type("base64 -d >\(name) <<'EOF'\n\(text)\nEOF\necho ///$?#$\r")
            try terminal.wait(for: "///0#$\n")
            terminal.type("test -e /none/such; echo ///$?#$\rexit 3\r")
            try terminal.wait(for: "///1#$\n")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(3))
        #expect(try place.remoteContents(name) == bytes)
    }

    @Test("TRAMP and expect find the words they wait for: the host key's question, the password's")
    func prompts() async throws {
        try place.user.write(".ssh/config", "")
        let words = [
            place.ssh, "-o", "PreferredAuthentications=password", "-e", "none", host, "echo in",
        ]
        let end = try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "(yes/no/[fingerprint])? ")
            terminal.type("yes\r")
            try terminal.wait(for: "password: ")
            try terminal.wait(until: !terminal.hasEcho, "a prompt without echo")
            terminal.type("wrong\r")
            try terminal.wait(for: "Permission denied, please try again.")
            try terminal.wait(for: "password: ")
            try terminal.wait(until: !terminal.hasEcho, "a prompt without echo")
            terminal.type("correct horse\r")
            try terminal.wait(for: "in\r\n")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
    }
}
