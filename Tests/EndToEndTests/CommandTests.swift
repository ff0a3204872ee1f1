import Foundation
import TestSupport
import Testing

/// A command on a server: its streams and its status are ours, byte for byte.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct CommandTests {
    let client: Client
    let host: String

    init() throws {
        client = try Client.withKey()
        let plain = try client.lab.instance("plain")
        host = "\(plain.user)@\(plain.plainName)"
    }

    @Test(
        "the exit status is the remote command's",
        arguments: [
            ("true", 0), ("false", 1), ("exit 3", 3), ("exit 44", 44), ("exit 255", 255),
            ("no-such-command", 127), ("kill -TERM $$", 255), ("kill -SEGV $$", 255),
        ]
    )
    func exitStatus(command: String, status: Int) async throws {
        let run = try await client.run([host, command])
        #expect(run.status == status, "\(run.errorText)")
        #expect(run.output.isEmpty)
    }

    @Test("what the command writes arrives on its own stream and nothing is added")
    func streams() async throws {
        let run = try await client.run(["-q", host, "echo out; echo err >&2; printf 'no newline'"])
        #expect(run.outputText == "out\nno newline")
        #expect(run.errorText == "err\n")
        #expect(run.status == 0)
    }

    @Test("words of the command are joined by one space and not read again here")
    func words() async throws {
        let run = try await client.run([host, "printf", "%s.", "'a  b'", "c", "-n", "$((1+1))"])
        #expect(run.outputText == "a  b.c.-n.2.")
    }

    @Test("options may follow the host, and -- ends them")
    func optionsAfterHost() async throws {
        let run = try await client.run([host, "-T", "--", "echo", "-n", "x"])
        #expect(run.outputText == "x")
    }

    @Test("every byte value passes in both directions, in any amount", arguments: [0, 1, 70_001])
    func binary(size: Int) async throws {
        var random = Seeded(7)
        let bytes = Data((0..<size).map { _ in UInt8.random(in: 0...255, using: &random) })
        let run = try await client.run([host, "cat"], input: .bytes(bytes))
        #expect(run.output == bytes)
        #expect(run.status == 0)
    }

    @Test("50 MB pass in each direction at once without a byte lost")
    func bulk() async throws {
        let file = client.user.path("bulk")
        let make = "head -c 50000000 /dev/urandom > \(file); sha256sum < \(file)"
        let sum = try await ProgramRun.run(["/bin/sh", "-c", make], as: client.user)
        let down = client.user.path("down")
        // The client writes to a file and the other direction's sum arrives on standard error.
        let script = "tee /dev/fd/3 3>/tmp/copy.$$ | cat; sha256sum < /tmp/copy.$$ >&2"
        let run = try await ProgramRun.run(
            [
                "/bin/sh", "-c", #""$@" < \#(file) > \#(down)"#, "sh", client.binary,
            ] + client.options + ["-q", host, script],
            as: client.user,
            limit: .seconds(60)
        )
        #expect(run.errorText == sum.outputText)
        let back = try await ProgramRun.run(["/bin/sh", "-c", "sha256sum < \(down)"])
        #expect(back.outputText == sum.outputText)
    }

    @Test("the end of standard input reaches the command while its output is still to come")
    func halfClose() async throws {
        let run = try await client.run(
            [host, "wc -c; sleep 0.2; echo later"],
            input: .bytes(Data("12345".utf8))
        )
        #expect(run.outputText.split(whereSeparator: \.isWhitespace) == ["5", "later"])
    }

    @Test("standard output is complete when the command leaves at once")
    func completeOutput() async throws {
        let run = try await client.run([host, "head -c 3000000 /dev/zero; exit 9"])
        #expect(run.output.count == 3_000_000)
        #expect(run.status == 9)
    }

    @Test("a reader that is slower than the link gets everything")
    func slowReader() async throws {
        let script = #""$@" | (sleep 0.3; md5sum; head -c 1)"#
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options
                + ["-q", host, "head -c 60000000 /dev/zero"],
            as: client.user
        )
        let sum = try await ProgramRun.run(
            ["/bin/sh", "-c", "head -c 60000000 /dev/zero | md5sum"]
        )
        #expect(run.outputText == sum.outputText, "\(run.errorText)")
        #expect(run.errorText == "")
    }

    @Test("standard error still arrives after standard output has ended")
    func lateErrors() async throws {
        let run = try await client.run(["-q", host, "exec >&-; sleep 0.2; echo late >&2; exit 4"])
        #expect(run.errorText == "late\n")
        #expect(run.status == 4)
    }

    @Test("a command ends although a child it left behind holds nothing")
    func leftBehind() async throws {
        let run = try await client.run(
            [host, "sleep 600 </dev/null >/dev/null 2>&1 & echo started"],
            limit: .seconds(10)
        )
        #expect(run.outputText == "started\n")
        #expect(!run.timedOut)
    }

    @Test("many runs at once lose nothing of what their commands say")
    func crowd() async throws {
        // The first bytes of a command come in one read with the answer to its request only where
        // the machine is busy.
        let texts = await withTaskGroup(of: String.self) { group in
            for index in 0..<60 {
                group.addTask {
                    let run = try? await client.run([host, "echo \(index); echo \(index) >&2"])
                    let errors = run.map { complaints($0).joined() } ?? "no run"
                    return "\(run?.outputText ?? "")\(errors) \(index)"
                }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        #expect(Set(texts) == Set((0..<60).map { "\($0)\n\($0) \($0)" }))
    }

    @Test("-n reads nothing from standard input")
    func noInput() async throws {
        let run = try await client.run(
            ["-n", host, "cat; echo end"],
            input: .bytes(Data("ignored".utf8))
        )
        #expect(run.outputText == "end\n")
    }

    @Test("a reader that goes away ends the run without a word of ours")
    func readerGoes() async throws {
        let ends = try pipeEnds()
        close(ends.read)
        defer { close(ends.write) }
        let run = try await client.run(
            ["-q", host, "yes"],
            output: .descriptor(ends.write),
            limit: .seconds(15)
        )
        #expect(!run.timedOut)
        #expect(run.errorText == "")
    }

    @Test("standard streams that are closed from the start do no harm")
    func closedStreams() async throws {
        let run = try await client.run(
            ["-q", host, "echo lost; exit 5"],
            input: .closed,
            output: .closed,
            limit: .seconds(15)
        )
        #expect(run.status == 5)
        #expect(run.errorText == "")
    }

    @Test("a shell without a terminal reads its commands from standard input")
    func shell() async throws {
        let run = try await client.run(
            ["-T", host],
            input: .bytes(Data("echo $((20+1))\nexit 6\n".utf8))
        )
        #expect(run.outputText == "21\n")
        #expect(run.status == 6)
    }

    @Test("a shell with nothing on standard input ends at once")
    func emptyShell() async throws {
        let run = try await client.run([host], limit: .seconds(15))
        #expect(run.status == 0)
        #expect(!run.timedOut)
    }

    @Test("variables asked for with SendEnv and SetEnv reach the command")
    func environment() async throws {
        let run = try await client.run(
            ["-o", "SendEnv=LC_ONE", "-o", "SetEnv=LC_TWO=2", host, "echo $LC_ONE $LC_TWO"],
            environment: ["LC_ONE": "1"]
        )
        #expect(run.outputText == "1 2\n")
    }

    @Test("SIGTERM ends a run with 255 and leaves nothing behind")
    func terminated() async throws {
        let script = #""$@" & sleep 1.5; kill -TERM $!; wait $!; echo status $?"#
        let run = try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options
                + ["-q", host, "sleep 60"],
            as: client.user,
            limit: .seconds(15)
        )
        #expect(run.outputText == "status 255\n")
    }
}

/// A pipe whose ends are not inherited.
func pipeEnds() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw POSIXError(.EMFILE) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
}
