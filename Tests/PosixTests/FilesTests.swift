import Dispatch
import Glibc
import Synchronization
import Testing

@testable import Posix

struct FilesTests {
    let scratch = Scratch()

    @Test func `reading gives the bytes and the facts of the file`() throws {
        let path = scratch.file("a", "hello")
        try setPermissions(path: path, 0o640)
        let contents = try readFile(path)
        #expect(contents.bytes == Array("hello".utf8))
        #expect(contents.facts.kind == .regular)
        #expect(contents.facts.owner == getuid())
        #expect(contents.facts.mode == 0o640)
        #expect(contents.facts.size == 5)
        #expect(contents.facts.isOpenToOthers)
        #expect(!contents.facts.isWritableByOthers)
    }

    @Test func `a file that is longer than the limit is refused`() throws {
        let path = scratch.file("a", String(repeating: "x", count: 100))
        #expect(try readFile(path, limit: 100).bytes.count == 100)
        let error = #expect(throws: SystemError.self) { try readFile(path, limit: 99) }
        #expect(error?.code == EFBIG)
    }

    @Test func `what cannot be read says so in the words of the system`() throws {
        let missing = "\(scratch.path)/missing"
        let error = #expect(throws: SystemError.self) { try readFile(missing) }
        #expect(error?.summary == "\(missing): No such file or directory")
        let directory = #expect(throws: SystemError.self) { try readFile(scratch.path) }
        #expect(directory?.code == EISDIR)
    }

    @Test func `a symbolic link is followed only when asked`() throws {
        let path = scratch.file("a", "x")
        let link = "\(scratch.path)/link"
        symlink(path, link)
        #expect(try fileFacts(path: link).kind == .regular)
        #expect(try fileFacts(path: link, followingLinks: false).kind == .symbolicLink)
        #expect(try readFile(link).bytes == [UInt8(ascii: "x")])
        let error = #expect(throws: SystemError.self) { try readFile(link, followingLinks: false) }
        #expect(error?.code == ELOOP)
        #expect(try fileFacts(path: link).identity == fileFacts(path: path).identity)
    }

    @Test func `a directory gives the names of all that is in it`() throws {
        #expect(try names(inDirectory: scratch.path).isEmpty)
        for name in ["a", ".b", "c d.pem", "é"] { _ = scratch.file(name, "") }
        try makeDirectory("\(scratch.path)/sub")
        #expect(Set(try names(inDirectory: scratch.path)) == ["a", ".b", "c d.pem", "é", "sub"])
        #expect(try names(inDirectory: scratch.path, limit: 2).count == 2)
        let odd = scratch.path.utf8CString.dropLast() + Array("/".utf8CString.dropLast()) + [-1, 0]
        close(open(Array(odd), O_CREAT | O_WRONLY, 0o600))
        #expect(try names(inDirectory: scratch.path).count == 5)
        unlink(Array(odd))
        let missing = #expect(throws: SystemError.self) {
            try names(inDirectory: "\(scratch.path)/none")
        }
        #expect(missing?.code == ENOENT)
        let file = #expect(throws: SystemError.self) {
            try names(inDirectory: "\(scratch.path)/a")
        }
        #expect(file?.code == ENOTDIR)
    }

    @Test func `an atomic write replaces the file and its mode`() throws {
        let path = scratch.file("a", "old")
        try setPermissions(path: path, 0o644)
        try writeFileAtomically(path, Array("new".utf8))
        #expect(scratch.text("a") == "new")
        #expect(try fileFacts(path: path).mode == 0o600)
        #expect(scratch.names == ["a"])
    }

    @Test func `a failed atomic write leaves what was there and nothing beside it`() throws {
        let path = "\(scratch.path)/directory"
        try makeDirectory(path)
        let error = #expect(throws: SystemError.self) { try writeFileAtomically(path, [1]) }
        #expect(error?.code == EISDIR)
        #expect(error?.subject == path)
        #expect(scratch.names == ["directory"])
    }

    @Test func `what does not fit at the end of a file is cut off again`() throws {
        let path = scratch.file("a", "first\n")
        let limit = 1 << 30
        truncate(path, limit - 3)
        try withFileSizeLimit(limit) {
            let error = #expect(throws: SystemError.self) {
                try appendToFile(path) { _ in Array("0123456789".utf8) }
            }
            #expect(error?.code == EFBIG)
        }
        #expect(try fileFacts(path: path).size == limit - 3)
    }

    @Test func `a full disk is an error`() throws {
        let error = #expect(throws: SystemError.self) { try appendToFile("/dev/full") { _ in [1] } }
        #expect(error?.summary == "/dev/full: No space left on device")
    }

    @Test(arguments: [("", nil), ("one\n", "\n"), ("one", "e")] as [(String, Character?)])
    func `adding to a file sees its last byte`(old: String, last: Character?) throws {
        let path = scratch.file("a", old)
        try appendToFile(path) { byte in
            #expect(byte == last?.asciiValue)
            return Array("+".utf8)
        }
        #expect(scratch.text("a") == old + "+")
    }

    @Test func `a file that is added to is made private when missing`() throws {
        try appendToFile("\(scratch.path)/new") { _ in Array("x\n".utf8) }
        #expect(scratch.text("new") == "x\n")
        #expect(try fileFacts(path: "\(scratch.path)/new").mode == 0o600)
    }

    @Test func `only one has the lock of a file`() throws {
        let path = scratch.file("lock")
        let first = try openFile(path, .readWrite)
        try lock(first.number)
        let second = try openFile(path, .readWrite)
        guard case .again = try tryLock(second.number) else {
            Issue.record("locked twice")
            return
        }
        _ = consume first
        guard case .done = try tryLock(second.number) else {
            Issue.record("closing did not unlock")
            return
        }
    }
}

struct DirectoriesTests {
    let scratch = Scratch()

    @Test func `a private directory is made with its parents`() throws {
        let path = "\(scratch.path)/a/b/c"
        try makePrivateDirectory(path)
        #expect(try fileFacts(path: path).kind == .directory)
        #expect(try fileFacts(path: path).mode == 0o700)
        try makePrivateDirectory(path)
    }

    @Test func `a private directory is made by many at once`() {
        let place = scratch.path
        let failures = Mutex<[String]>([])
        // Whoever is behind finds the way made, and catches up.
        DispatchQueue.concurrentPerform(iterations: 4) { _ in
            for round in 0..<500 {
                do throws(SystemError) {
                    try makePrivateDirectory("\(place)/\(round)/a/b/c")
                } catch {
                    failures.withLock { $0.append(error.summary) }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
    }

    @Test func `a private directory that is open to others is closed`() throws {
        let path = "\(scratch.path)/open"
        try makeDirectory(path)
        try setPermissions(path: path, 0o755)
        try makePrivateDirectory(path)
        #expect(try fileFacts(path: path).mode == 0o700)
    }

    @Test func `a link or a file is no private directory`() throws {
        symlink(scratch.path, "\(scratch.path)/link")
        for path in ["\(scratch.path)/link", scratch.file("file")] {
            let error = #expect(throws: SystemError.self) { try makePrivateDirectory(path) }
            #expect(error?.code == ENOTDIR)
        }
    }

    @Test func `a pattern gives its matches in order and none is no error`() throws {
        for name in ["b.conf", "a.conf", "c.txt"] { _ = scratch.file(name) }
        let found = try matchingPaths("\(scratch.path)/*.conf")
        #expect(found == ["a.conf", "b.conf"].map { "\(scratch.path)/\($0)" })
        #expect(try matchingPaths("\(scratch.path)/*.none") == [])
    }
}

struct UsersTests {
    @Test func `root is found by id and by name`() {
        #expect(User.find(id: 0)?.name == "root")
        #expect(User.find(name: "root")?.id == 0)
        #expect(User.find(name: "root")?.home == "/root")
        #expect(User.find(name: "no-such-user-here") == nil)
        #expect(User.find(id: 4_000_000_000) == nil)
    }

    @Test func `the machine has a name and the process an environment`() {
        #expect(!hostName().isEmpty)
        #expect(environmentVariables()["PATH"] == String(cString: getenv("PATH")))
        #expect(workingDirectory()?.first == "/")
    }
}

/// Runs with RLIMIT_FSIZE lowered, which stands for a full disk: a write fails part of the way.
///
/// The limit is the whole process's, so it is far above what other tests write.
private func withFileSizeLimit(_ bytes: Int, _ body: () throws -> Void) throws {
    signal(SIGXFSZ, SIG_IGN)
    let fileSize = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
    var old = rlimit()
    getrlimit(fileSize, &old)
    var low = rlimit(rlim_cur: rlim_t(bytes), rlim_max: old.rlim_max)
    setrlimit(fileSize, &low)
    defer { setrlimit(fileSize, &old) }
    try body()
}
