import Foundation
import TestSupport
import Testing

/// The command line docker's client uses for `ssh://` hosts, with a stand-in for the docker over
/// there: there is no engine in the lab.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct InteropDockerTests {
    let place: Workplace

    /// Answers a ping, takes one upload, and sees that the client's side has ended before the last
    /// of its answer, as `docker system dial-stdio` passes it on.
    private static let standIn = """
        #!/usr/bin/python3
        import hashlib, sys
        if sys.argv[-2:] != ["system", "dial-stdio"]:
            sys.exit("unknown: %r" % sys.argv[1:])
        source, sink = sys.stdin.buffer, sys.stdout.buffer
        def request():
            first = source.readline()
            size = 0
            while (line := source.readline()) not in (b"\\r\\n", b""):
                if line.lower().startswith(b"content-length:"):
                    size = int(line.split(b":")[1])
            return first, source.read(size)
        def answer(text):
            sink.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(text) + text)
            sink.flush()
        request()
        answer(b"OK " + " ".join(sys.argv[1:-2]).encode())
        first, body = request()
        answer(hashlib.sha256(body).hexdigest().encode())
        assert source.read() == b""
        answer(b"seen the end")

        """

    init() throws {
        place = try Workplace()
        try place.writeRemote("docker", Data(Self.standIn.utf8), on: "rocky")
        let start = "PATH=$HOME:$PATH\n"
        if try place.remoteContents(".bashrc", on: "rocky") != Data(start.utf8) {
            try place.writeRemote(".bashrc", Data(start.utf8), on: "rocky")
        }
    }

    @Test(
        "the client's calls go through, several at once, with its end of input told on",
        arguments: [
            ["-T", "-l", "rocky", "-p", "22", "--", "rocky.lab", "docker"],
            ["-T", "-l", "rocky", "--", "rocky.lab", "docker", "--host", "unix:///run/x.sock"],
        ]
    )
    func calls(words: [String]) async throws {
        let upload = noise(3_000_000, seed: 11)
        var input = Data("GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n".utf8)
        input += Data("POST /x HTTP/1.1\r\nContent-Length: \(upload.count)\r\n\r\n".utf8)
        input += upload
        let hash = try await ProgramRun.run(["/usr/bin/sha256sum"], input: .bytes(upload))
        let expected =
            [
                "OK "
                    + words.dropFirst(words.firstIndex(of: "docker") ?? 0).dropFirst()
                    .joined(separator: " ")
            ]
            + [String(hash.outputText.prefix(64)), "seen the end"]
        let all = input
        try await withThrowingTaskGroup(of: ProgramRun.self) { group in
            for _ in 0..<4 {
                group.addTask {
                    try await place.run(
                        [place.ssh, "-o ConnectTimeout=30"] + words + ["system", "dial-stdio"],
                        input: .bytes(all)
                    )
                }
            }
            for try await run in group {
                #expect(run.status == 0)
                #expect(complaints(run) == [])
                let bodies = run.outputText.components(separatedBy: "\r\n").filter {
                    !$0.isEmpty && !$0.hasPrefix("HTTP/") && !$0.hasPrefix("Content-")
                }
                let text = bodies.joined().replacingOccurrences(
                    of: "HTTP/1.1 200 OK",
                    with: "\n"
                )
                #expect(text == expected.joined(separator: "\n"))
            }
        }
    }

    @Test("SIGTERM, with which the client ends us, ends us at once")
    func terminated() async throws {
        let run = try await place.shell(
            """
            mkfifo in; sleep 60 >in & holder=$!
            "$SSH" '-o ConnectTimeout=30' -T -l rocky -- rocky.lab docker system dial-stdio <in & pid=$!
            sleep 1; kill $pid; wait $pid || echo "status $?"; kill $holder
            """
        )
        #expect(run.outputText == "status 255\n")
        #expect(run.duration < .seconds(10))
    }
}
