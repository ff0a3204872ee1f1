import Foundation
import TestSupport
import Testing

/// sftp: batches, a person at a terminal, and transfers that are taken up again.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"), .enabled(if: Tool.sftp.isHere, "no sftp"))
struct InteropSFTPTests {
    let place: Workplace
    let name: String
    let host = "alice@plain.lab"

    init() throws {
        place = try Workplace()
        name = place.unique("sftp")
    }

    @Test(
        "a batch puts, renames, lists and gets",
        arguments: [
            [], ["-C"], ["-P", "22"], ["-s", "/usr/lib/openssh/sftp-server"],
            ["-o", "Ciphers=chacha20-poly1305@openssh.com", "-R", "200"],
        ]
    )
    func batch(options: [String]) async throws {
        let bytes = noise(2_000_003, seed: 5)
        try place.user.write("up", bytes)
        let orders =
            "put up \(name)\nrename \(name) \(name)-2\nls -1 \(name)*\nget \(name)-2 down\n"
        let run = try await sftp(options + ["-b", "-", host], orders)
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText.contains("\n\(name)-2\n"))
        #expect(try place.remoteContents("\(name)-2") == bytes)
        #expect(FileManager.default.contents(atPath: place.user.path("down")) == bytes)
    }

    @Test("a batch ends at its first error, with status 1")
    func batchFails() async throws {
        let run = try await sftp(["-b", "-", host], "get none-such\nmkdir \(name)\n")
        #expect(run.status == 1)
        #expect(run.errorText.contains("not found"), "\(run.errorText)")
        #expect(try !FileManager.default.fileExists(atPath: place.remote(name)))
    }

    @Test("transfers that were cut off are taken up where they stopped")
    func resume() async throws {
        let bytes = noise(5_000_000, seed: 6)
        try place.user.write("whole", bytes)
        // What is there already differs from the source: who resumes leaves it alone.
        let begun = Data(repeating: 0x2d, count: 1_234_567)
        try place.user.write("get", begun)
        try place.writeRemote("\(name)-put", begun)
        try place.writeRemote(name, bytes)
        let run = try await sftp(
            ["-b", "-", host],
            "reget \(name) get\nreput whole \(name)-put\n"
        )
        #expect(run.status == 0, "\(run.errorText)")
        let expected = begun + bytes[begun.count...]
        #expect(FileManager.default.contents(atPath: place.user.path("get")) == expected)
        #expect(try place.remoteContents("\(name)-put") == expected)
    }

    @Test("a person at a terminal has its prompt, its progress and its completion")
    func terminal() async throws {
        let bytes = noise(300_000, seed: 7)
        try place.user.write("up", bytes)
        let name = place.unique("completed")
        let words = ["/usr/bin/sftp", "-S", place.ssh, host]
        let end = try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "sftp> ")
            terminal.type("pwd\r")
            try terminal.wait(for: "Remote working directory: /home/alice")
            try terminal.wait(for: "sftp> ")
            terminal.type("put up \(name)\r")
            try terminal.wait(for: "100%")
            try terminal.wait(for: "sftp> ")
            terminal.type("ls -l \(name.dropLast())\t\r")
            try terminal.wait(for: "300000")
            try terminal.wait(for: "sftp> ")
            terminal.type("chmod 600 \(name)\rget \(name) down\r")
            try terminal.wait(for: "100%")
            try terminal.wait(for: "sftp> ")
            terminal.type("bye\r")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
        #expect(try place.remoteContents(name) == bytes)
        #expect(FileManager.default.contents(atPath: place.user.path("down")) == bytes)
    }

    @Test("Ctrl-C stops a transfer and leaves the session in use")
    func interrupt() async throws {
        let name = name
        let words = ["/usr/bin/sftp", "-S", place.ssh, "-l", "20000", host]
        try place.user.write("up", noise(30_000_000, seed: 8))
        let end = try await place.atTerminal(words) { terminal in
            try terminal.wait(for: "sftp> ")
            terminal.type("put up \(name)\r")
            try terminal.wait(for: "KB/s")
            terminal.type("\u{3}")
            try terminal.wait(for: "sftp> ")
            terminal.type("rm \(name)\r")
            try terminal.wait(for: "Removing /home/alice/\(name)")
            try terminal.wait(for: "sftp> ")
            terminal.type("quit\r")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
        #expect(try place.remoteContents(name) == nil)
    }

    private func sftp(_ words: [String], _ batch: String) async throws -> ProgramRun {
        try await place.run(
            ["sftp", "-S", place.ssh] + words,
            input: .bytes(Data(batch.utf8))
        )
    }
}
