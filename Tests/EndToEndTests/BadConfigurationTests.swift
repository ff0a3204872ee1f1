import Foundation
import TestSupport
import Testing

/// Configuration files as they should not be.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct BadConfigurationTests {
    let client: Client

    init() throws { client = try Client() }

    @Test("a file named with -F that cannot be read is one clear line and 255")
    func unreadable() async throws {
        let file = try client.user.write("config", "Host *\n", mode: 0)
        let run = try await client.run(["-F", file, "debian.lab", "true"])
        expectClearWords(run, within: .seconds(5))
        #expect(run.errorText.contains(file))
    }

    @Test("a file named with -F that is not there is one clear line and 255")
    func missing() async throws {
        let run = try await client.run(["-F", "/no/such/file", "debian.lab", "true"])
        expectClearWords(run, within: .seconds(5))
    }

    @Test("a file that others can write is refused")
    func writable() async throws {
        try client.user.write(".ssh/config", "Host *\n  User x\n", mode: 0o666)
        let run = try await client.run(["debian.lab", "true"])
        expectClearWords(run, within: .seconds(5))
        #expect(run.errorText.contains("Bad owner or permissions on "))
    }

    @Test(
        "a megabyte of noise is refused with its line, in time, without a trap",
        arguments: [1, 2, 3]
    )
    func noise(seed: UInt64) async throws {
        var random = Seeded(seed)
        let bytes = Data((0..<1_000_000).map { _ in UInt8.random(in: 0...255, using: &random) })
        let file = try client.user.write("config", bytes)
        let run = try await client.run(["-F", file, "debian.lab", "true"], limit: .seconds(20))
        #expect(run.status == 255)
        #expect(!run.timedOut)
        #expect(
            run.errorText.contains("\(file): line 1: ")
                || run.errorText.contains("\(file) line 1: ")
        )
    }

    @Test("a megabyte of printable noise is refused likewise")
    func printableNoise() async throws {
        var random = Seeded(4)
        var text = ""
        while text.utf8.count < 1_000_000 {
            let words = (0..<3).map { _ in
                String(
                    (0..<8).map { _ in
                        Character(UnicodeScalar(UInt8.random(in: 97...122, using: &random)))
                    }
                )
            }
            text += words.joined(separator: " ") + "\n"
        }
        let file = try client.user.write("config", text)
        let run = try await client.run(["-F", file, "debian.lab", "true"], limit: .seconds(20))
        #expect(run.status == 255)
        #expect(!run.timedOut)
        #expect(run.errorLines.last?.hasPrefix("\(file): terminating, ") == true)
    }

    @Test("10,000 Host blocks are read and the right one counts")
    func manyHosts() async throws {
        let blocks = (0..<10_000).map { "Host machine\($0)\n  User user\($0)\n  Port \($0 + 1)\n" }
        let file = try client.user.write("config", blocks.joined())
        let run = try await client.run(
            ["-F", file, "-G", "-T", "machine9876"],
            limit: .seconds(30)
        )
        #expect(run.status == 0)
        #expect(run.outputText.contains("\nport 9877\n"))
        #expect(run.outputText.contains("user user9876\n"))
        #expect(run.duration < .seconds(10))
    }
}
