import Glibc
import Testing

@testable import Posix

struct SpawnTests {
    @Test func `a program's output and status are collected`() throws {
        let result = try runToEnd(Command("sh", ["-c", "echo hello; exit 3"]))
        #expect(String(decoding: result.output, as: UTF8.self) == "hello\n")
        #expect(result.status == .exited(3))
    }

    @Test func `the user's shell runs a line and nothing stands for sh`() throws {
        #expect(try runToEnd(.shell("exit 7", shell: "/bin/bash")).status == .exited(7))
        for shell in [nil, ""] {
            let words = ["/bin/sh", "-c", "x"].map { Array($0.utf8) }
            #expect(Command.shell("x", shell: shell).rawArguments == words)
        }
    }

    @Test func `arguments need not be UTF-8`() throws {
        let bytes: [UInt8] = [0x41, 0xff, 0xfe]
        #expect(try runToEnd(Command(raw: Array("printf".utf8), [bytes])).output == bytes)
    }

    @Test func `a missing program is an error of the system`() {
        let error = #expect(throws: SystemError.self) { try spawn(Command("/no/such/program")) }
        #expect(error?.summary == "/no/such/program: No such file or directory")
    }

    @Test func `a program that a signal ends says which`() throws {
        let child = try spawn(Command("sh", ["-c", "kill -TERM $$"]))
        #expect(child.wait() == .killed(.terminate))
        #expect(child.reap() == .killed(.terminate))
    }

    @Test func `a child that still runs has no status until it is killed`() throws {
        let child = try spawn(Command("sleep", ["100"]))
        #expect(child.reap() == nil)
        #expect(child.wait(until: readClock() + .milliseconds(5)) == nil)
        child.send(.terminate)
        #expect(child.wait(until: readClock() + .seconds(10)) == .killed(.terminate))
    }

    @Test func `a program that says too much is killed and one that hangs is killed`() throws {
        let noisy = try runToEnd(Command("yes"), limit: 100_000)
        #expect(noisy.status == .killed(.kill))
        let stuck = try runToEnd(
            Command("sleep", ["100"]),
            until: readClock() + .milliseconds(10)
        )
        #expect(stuck.status == .killed(.kill))
    }

    @Test func `the child inherits no descriptor beside its three`() throws {
        let pair = try makeSocketPair()
        let result = try runToEnd(Command("ls", ["-l", "/proc/self/fd"]))
        let shown = String(decoding: result.output, as: UTF8.self)
        let ours = try fileFacts(of: pair.near.number).identity.number
        #expect(shown.contains("pipe:["))
        #expect(!shown.contains("socket:[\(ours)]"))
    }

    @Test func `descriptors are exchanged without one overwriting the other`() throws {
        // Standard error's number given as output: what the child says there reaches our errors.
        let out = try makePipe()
        let script = "echo out; echo err >&2"
        let child = try spawn(
            Command("sh", ["-c", script]),
            input: .descriptor(1),
            output: .descriptor(out.far.number),
            errors: .descriptor(out.far.number)
        )
        #expect(child.wait()?.isSuccess == true)
        let far = out.far
        _ = consume far
        let text = try readToEnd(out.near.number, limit: 100)
        #expect(text == Array("out\nerr\n".utf8))
    }

    @Test func `variables are changed, removed, or all that there are`() throws {
        var expected = environmentVariables()
        expected["NEW"] = "new"
        expected["HOME"] = nil
        expected["PATH"] = "/bin"
        var command = Command("/usr/bin/env", ["-0"])
        command.environment = .inherited(changes: ["NEW": "new", "HOME": nil, "PATH": "/bin"])
        let shown = try runToEnd(command).output.split(separator: 0)
            .map { String(decoding: $0, as: UTF8.self) }
        #expect(Set(shown) == Set(expected.map { "\($0)=\($1)" }))
        command = Command("/usr/bin/env")
        command.environment = .only(["A": "1", "B": "2"])
        #expect(try runToEnd(command).output == Array("A=1\nB=2\n".utf8))
    }

    @Test func `SIGPIPE has its meaning and no signal is blocked in the child`() throws {
        signal(SIGPIPE, SIG_IGN)
        let result = try runToEnd(Command("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"]))
        let lines = String(decoding: result.output, as: UTF8.self).split(separator: "\n")
        let masks = lines.compactMap { UInt64($0.split(separator: "\t")[1], radix: 16) }
        #expect(masks.count == 2)
        #expect(masks[0] == 0)
        #expect(masks[1] & (1 << UInt64(SIGPIPE - 1)) == 0)
    }

    @Test(arguments: [(ChildGroup.ours, false), (.own, true), (.session, true)])
    func `a child's process group is ours or its own`(group: ChildGroup, isOwn: Bool) throws {
        var command = Command("sleep", ["100"])
        command.group = group
        let child = try spawn(command)
        defer {
            child.send(.kill)
            child.wait()
        }
        #expect((getpgid(child.pid) == child.pid) == isOwn)
        #expect((getpgid(child.pid) == getpgrp()) == !isOwn)
    }
}

struct HelperTests {
    @Test func `work beside the loop gives its result once`() throws {
        let helper = try Helper { 6 * 7 }
        #expect(try !waitFor(helper.number, .read, until: readClock() + .seconds(10)).isEmpty)
        #expect(helper.take() == 42)
        #expect(helper.take() == nil)
    }

    @Test func `there is no result before the work is done`() throws {
        let gate = try makePipe()
        let number = gate.near.number
        let helper = try Helper { () -> Int in
            var byte: UInt8 = 0
            return read(number, &byte, 1)
        }
        #expect(helper.take() == nil)
        try writeAll(gate.far.number, [1])
        #expect(try !waitFor(helper.number, .read, until: readClock() + .seconds(10)).isEmpty)
        #expect(helper.take() == 1)
    }

    @Test func `the helper's thread takes no signals`() throws {
        let helper = try Helper { () -> Bool in
            var mask = sigset_t()
            pthread_sigmask(SIG_BLOCK, nil, &mask)
            return sigismember(&mask, SIGINT) == 1 && sigismember(&mask, SIGWINCH) == 1
        }
        try waitFor(helper.number, .read, until: readClock() + .seconds(10))
        #expect(helper.take() == true)
    }
}

struct NameLookupTests {
    @Test(arguments: [
        ("127.0.0.1", SocketFamily.ipv4), ("::1", .ipv6), ("fe80::1%lo", .ipv6),
    ])
    func `an address in digits is known at once`(host: String, family: SocketFamily) throws {
        let resolver = try NameLookup(NameQuery(host: host, port: 2222))
        #expect(resolver.number == nil)
        let address = try #require(try resolver.result?.get().addresses.first)
        #expect(address.host == host)
        #expect(address.family == family)
        #expect(address.port == 2222)
    }

    @Test func `an address of the wrong family is refused without a lookup`() throws {
        let resolver = try NameLookup(NameQuery(host: "127.0.0.1", port: 22, family: .ipv6))
        #expect(resolver.number == nil)
        guard case .failure(let error) = resolver.result else {
            Issue.record("resolved")
            return
        }
        #expect(error.reason == "Address family for hostname not supported")
    }

    @Test func `a name is looked up beside the loop`() throws {
        let resolver = try NameLookup(NameQuery(host: "localhost", port: 22))
        let number = try #require(resolver.number)
        try waitFor(number, .read, until: readClock() + .seconds(30))
        let addresses = try #require(try resolver.result?.get().addresses)
        #expect(addresses.contains { $0.isLoopback })
        #expect(Set(addresses).count == addresses.count)
        #expect(resolver.number == nil)
    }

    @Test func `a name that cannot exist has OpenSSH's words`() throws {
        let resolver = try NameLookup(NameQuery(host: "no..such..name", port: 22))
        if let number = resolver.number {
            try waitFor(number, .read, until: readClock() + .seconds(30))
        }
        guard case .failure(let error) = resolver.result else {
            Issue.record("resolved")
            return
        }
        #expect(
            error.words?.first?.hasPrefix("ssh: Could not resolve hostname no..such..name: ")
                == true
        )
    }

    @Test func `the words are the C library's`() {
        let error = NameError(host: "h", code: EAI_NONAME, systemCode: 0)
        #expect(error.words == ["ssh: Could not resolve hostname h: Name or service not known"])
        #expect(error.isNotFound)
        let later = NameError(host: "h", code: EAI_AGAIN, systemCode: 0)
        #expect(later.reason == "Temporary failure in name resolution")
        #expect(!later.isNotFound)
        #expect(
            NameError(host: "h", code: EAI_SYSTEM, systemCode: EMFILE).reason
                == "Too many open files"
        )
    }
}
