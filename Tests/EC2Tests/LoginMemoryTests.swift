import Faults
import Foundation
import Posix
import Testing

@testable import EC2

private final class Cache {
    let path = NSTemporaryDirectory() + "ec2sh-cache-\(UUID().uuidString)"
    var notes: [String] = []
    deinit { try? FileManager.default.removeItem(atPath: path) }
    var trace: Trace { Trace(level: .debug1) { [unowned self] in notes.append($0) } }
    var directory: String { "\(path)/ec2sh/logins" }
    var names: [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
    }

    func memory() throws -> LoginMemory {
        try #require(LoginMemory(environment: ["XDG_CACHE_HOME": path], home: nil))
    }

    func put(_ name: String, _ bytes: [UInt8], mode: Int = 0o600) {
        try? FileManager.default.createDirectory(
            atPath: directory,
            withIntermediateDirectories: true
        )
        _ = FileManager.default.createFile(
            atPath: "\(directory)/\(name)",
            contents: Data(bytes),
            attributes: [.posixPermissions: mode]
        )
    }
}

private let login = RememberedLogin(
    user: "ubuntu",
    key: "SHA256:abc",
    keyPath: "/k e y.pem",
    way: "endpoint"
)

struct LoginMemoryTests {
    @Test("What worked is recalled for the same host and port alone")
    func remembers() throws {
        let cache = Cache()
        let memory = try cache.memory()
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == nil)
        memory.remember(login, host: "H.Example", port: 22, trace: cache.trace)
        #expect(memory.recall(host: "h.example", port: 22, trace: cache.trace) == login)
        #expect(memory.recall(host: "h.example", port: 23, trace: cache.trace) == nil)
        let bare = RememberedLogin(user: "admin")
        memory.remember(bare, host: "h.example", port: 22, trace: cache.trace)
        #expect(memory.recall(host: "h.example", port: 22, trace: cache.trace) == bare)
        #expect(cache.notes.isEmpty)
        #expect(cache.names == ["h.example%3A22"])
        #expect(try fileFacts(path: "\(cache.directory)/h.example%3A22").mode == 0o600)
        #expect(try fileFacts(path: cache.directory).mode == 0o700)
    }

    @Test("A file of before ways were remembered is understood")
    func old() throws {
        let cache = Cache()
        cache.put("h%3A22", Array("ec2sh login 1\nuser u\nkey SHA256:abc\npath /k\n".utf8))
        let recalled = try cache.memory().recall(host: "h", port: 22, trace: cache.trace)
        #expect(recalled == RememberedLogin(user: "u", key: "SHA256:abc", keyPath: "/k"))
    }

    @Test("A path that means another file elsewhere is not remembered")
    func relativePath() throws {
        let cache = Cache()
        let memory = try cache.memory()
        let login = RememberedLogin(user: "u", key: "SHA256:abc", keyPath: "k.pem")
        memory.remember(login, host: "h", port: 22, trace: cache.trace)
        let recalled = memory.recall(host: "h", port: 22, trace: cache.trace)
        #expect(recalled == RememberedLogin(user: "u", key: "SHA256:abc"))
    }

    @Test(
        "No name of a host leaves the directory",
        arguments: [
            "../x", "..", ".", "/etc/passwd", "a/b", "::1", "é", "a\nb",
            String(repeating: "x", count: 900),
        ]
    )
    func names(host: String) throws {
        let cache = Cache()
        let memory = try cache.memory()
        memory.remember(login, host: host, port: 22, trace: cache.trace)
        #expect(memory.recall(host: host, port: 22, trace: cache.trace) == login)
        #expect(cache.names.count == 1)
    }

    @Test(
        "The place follows XDG",
        arguments: [
            (["XDG_CACHE_HOME": "/c"], "/h", "/c/ec2sh/logins"),
            (["XDG_CACHE_HOME": "c"], "/h", "/h/.cache/ec2sh/logins"),
            ([:], "/h", "/h/.cache/ec2sh/logins"), ([:], nil, nil), ([:], "", nil),
        ] as [([String: String], String?, String?)]
    )
    func place(environment: [String: String], home: String?, directory: String?) {
        #expect(LoginMemory(environment: environment, home: home)?.directory == directory)
    }

    @Test(
        "A spoilt file is as good as none, with a note",
        arguments: [
            "", "\n", "ec2sh login 1\n", "ec2sh login 2\nuser x\n", "ec2sh login 1\nuser x",
            "ec2sh login 1\nuser -x\n", "ec2sh login 1\nuser\n", "user x\n", "\u{0}\u{1}",
            String(repeating: "x", count: 20_000),
        ]
    )
    func spoilt(text: String) throws {
        let cache = Cache()
        cache.put("h%3A22", Array(text.utf8))
        let memory = try cache.memory()
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == nil)
        #expect(cache.notes.count == 1)
        memory.remember(login, host: "h", port: 22, trace: cache.trace)
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == login)
    }

    @Test("A link or a file others can write is not believed, and is replaced")
    func links() throws {
        let cache = Cache()
        let text = Array("ec2sh login 1\nuser evil\n".utf8)
        cache.put("h%3A22", text, mode: 0o666)
        let memory = try cache.memory()
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == nil)
        cache.put("target", text)
        try FileManager.default.removeItem(atPath: "\(cache.directory)/h%3A22")
        try FileManager.default.createSymbolicLink(
            atPath: "\(cache.directory)/h%3A22",
            withDestinationPath: "\(cache.directory)/target"
        )
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == nil)
        memory.remember(login, host: "h", port: 22, trace: cache.trace)
        #expect(memory.recall(host: "h", port: 22, trace: cache.trace) == login)
        #expect(FileManager.default.contents(atPath: "\(cache.directory)/target") == Data(text))
    }

    @Test("A place that cannot be written is a note, no more")
    func unwritable() throws {
        let cache = Cache()
        let memory = try #require(
            LoginMemory(environment: ["XDG_CACHE_HOME": "/dev/null"], home: nil)
        )
        memory.remember(login, host: "h", port: 22, trace: cache.trace)
        #expect(cache.notes.contains { $0.contains("the login is not remembered: ") })
    }

    @Test("Many writers leave one whole file and nothing beside it")
    func many() async throws {
        let cache = Cache()
        let memory = try cache.memory()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<100 {
                group.addTask {
                    let login = RememberedLogin(user: "user\(number)")
                    let trace = Trace(level: .quiet) { _ in }
                    memory.remember(login, host: "h", port: 22, trace: trace)
                }
            }
        }
        #expect(
            memory.recall(host: "h", port: 22, trace: cache.trace)?.user.hasPrefix("user") == true
        )
        #expect(cache.names == ["h%3A22"])
    }

    @Test("What cannot be written on one line is not remembered")
    func lines() throws {
        #expect(LoginMemory.format(RememberedLogin(user: "u", keyPath: "/a\nb")) == nil)
        #expect(LoginMemory.format(RememberedLogin(user: "a b")) == nil)
    }
}
