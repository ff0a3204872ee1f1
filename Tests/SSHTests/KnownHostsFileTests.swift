import Faults
import Foundation
import Posix
import Testing

@testable import SSH

struct KnownHostsFileTests {
    private let key = KeyVectors.key("ed25519")
    private let line = KeyVectors.line("ed25519")

    private func addition(_ names: [String] = ["h"], isHashed: Bool = false) -> KnownHostsAddition {
        KnownHostsAddition(names: names, key: key, isHashed: isHashed)
    }

    @Test(
        "A key is added at the end, on a line of its own",
        arguments: [
            ("", ""), ("a b c\n", "a b c\n"), ("a b c", "a b c\n"), ("a b c\r\n", "a b c\r\n"),
        ]
    )
    func added(before: String, kept: String) throws {
        let scratch = KeyScratch()
        let path = scratch.write("known_hosts", before)
        try addition(["H", "10.0.0.1"]).append(to: path, home: "")
        #expect(scratch.read("known_hosts") == "\(kept)h,10.0.0.1 \(line)\n")
    }

    @Test("The file is made for its owner alone, and ~/.ssh with it")
    func made() throws {
        let scratch = KeyScratch()
        let path = "\(scratch.path)/.ssh/known_hosts"
        try addition().append(to: path, home: scratch.path)
        #expect(try fileFacts(path: path).mode == 0o600)
        #expect(try fileFacts(path: "\(scratch.path)/.ssh").mode == 0o700)
        // No other directory is made.
        #expect(throws: SystemError.self) {
            try addition().append(to: "\(scratch.path)/no/known_hosts", home: scratch.path)
        }
    }

    @Test("A link is written through")
    func link() throws {
        let scratch = KeyScratch()
        let path = scratch.write("real", "a b c\n", mode: 0o644)
        let link = "\(scratch.path)/link"
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: path)
        try addition().append(to: link, home: "")
        #expect(scratch.read("real") == "a b c\nh \(line)\n")
        #expect(try fileFacts(path: link, followingLinks: false).kind == .symbolicLink)
        #expect(try fileFacts(path: path).mode == 0o644)
    }

    @Test("A full disk is an error")
    func full() {
        let error = #expect(throws: SystemError.self) {
            try addition().append(to: "/dev/full", home: "")
        }
        #expect(error?.reason == "No space left on device")
    }

    @Test("/dev/null takes everything")
    func null() throws {
        try addition().append(to: "/dev/null", home: "")
    }

    @Test("Many writers lose nothing")
    func many() async throws {
        let scratch = KeyScratch()
        let path = "\(scratch.path)/known_hosts"
        let addition = addition()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<50 {
                group.addTask { try? addition.append(to: path, home: "") }
            }
        }
        #expect(scratch.read("known_hosts") == String(repeating: "h \(line)\n", count: 50))
    }

    @Test("Files that are not there are empty ones, others have a problem")
    func load() {
        let scratch = KeyScratch()
        let path = scratch.write("known_hosts", "h \(line)\n")
        var told: [String] = []
        let trace = Trace(level: .debug1) { told.append($0) }
        let hosts = KnownHosts.load(
            user: [path, "\(scratch.path)/missing"],
            system: [scratch.path],
            trace: trace
        )
        #expect(hosts.files.map(\.problem) == [nil, nil, "Is a directory"])
        #expect(hosts.lookUp("h").all.count == 1)
        #expect(told.count == 2)
        #expect(told.first?.hasSuffix("/missing: No such file or directory") == true)
    }

    @Test("The word none means no file")
    func none() {
        #expect(KnownHosts.paths(["None"]).isEmpty)
        #expect(KnownHosts.paths(["a", "none"]) == ["a", "none"])
    }
}
