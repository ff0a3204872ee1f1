import Foundation
import Synchronization
import TestSupport
import Testing

/// Local forwards by Systems Manager alone: sshd does not run, and every byte is checked.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"), .serialized)
struct WaysPortsTests {
    /// A server in the machine of the launched instances (`Tests/Lab/gateway/echo.py`).
    private static let echoPort = Task<Int, any Error> {
        let program = try LabHelper("gateway/echo.py", ["\(Lab.here().aws?.fleet ?? 0)"])
        var port = ""
        program.readAnswers {
            port = $0
            return false
        }
        kept.withLock { $0.append(program) }
        return try #require(Int(port))
    }

    let client: Client
    let aws: CloudAccount
    let web: CloudAccount.Instance
    let echo: Int

    init() async throws {
        client = try Client.withKey()
        aws = try await CloudAccount()
        web = try await aws.launch("web", ["port": "refuse", "launched": .number(oneHourAgo)])
        echo = try await WaysPortsTests.echoPort.value
    }

    /// Runs a script of the shell's beside a client that holds forwards.
    ///
    /// - `up ARGUMENT…`: the client with `-N`, by Systems Manager alone; returns when it stands
    /// - `down`: ends it, and waits for that
    /// - `fetch [--endless] COUNT SIZE PORT…`: as `echoclients.py`
    ///
    /// `$PORT` and `$OTHER` are free ports of this side; what the client says is in the file `said`.
    private func script(
        _ text: String,
        limit: Duration = .seconds(90)
    ) async throws -> ProgramRun {
        let clients = "\(client.lab.root)/tools/gateway/echoclients.py"
        let options = client.options.map { "'\($0)'" }.joined(separator: " ")
        let words = """
            set -e
            \(forwardWords)
            up() {
                rm -f isUp
                \(client.binary) \(options) -N -o EC2Ways=ssm -o PermitLocalCommand=yes \
                    -o LocalCommand='touch isUp' "$@" 2> said &
                client=$!
                waitFor test -e isUp
            }
            down() { kill $client; wait $client || true; }
            fetch() { python3 -B \(clients) "$@"; }
            client=
            trap 'kill $client 2> /dev/null || true' EXIT
            PORT=$(free); OTHER=$(free)

            """
        return try await ProgramRun.run(
            ["/bin/sh", "-c", words + text],
            as: client.user,
            environment: aws.environment,
            limit: limit
        )
    }

    private func expectCleanSessions(
        _ count: Int,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let begun = try await aws.calls()["ssm:StartSession"]
        #expect(begun == count, sourceLocation: sourceLocation)
        try await expectSessionsOver(in: aws, sourceLocation: sourceLocation)
    }

    @Test("many connections at once, to the instance and to a host that it sees, in a session each")
    func many() async throws {
        let run = try await script(
            """
            up -L $PORT:localhost:\(echo) -L $OTHER:\(web.privateAddress):\(echo) \(web.id)
            fetch 12 60000 $PORT $OTHER
            fetch 3 300000 $PORT
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "24\n3\n")
        try await expectCleanSessions(2)
        let calls = try await aws.calls()
        #expect(calls["ssm:StartSession"] == 2)
        #expect(calls["ec2-instance-connect:SendSSHPublicKey"] == 0)
    }

    @Test("websockets that break lose and double nothing of any connection")
    func cuts() async throws {
        try await aws.order(
            "plan",
            ["payload": 8192, "pause": 0, "cuts": 25, "cut_between": [20_000, 200_000], "seed": 4]
        )
        let run = try await script(
            """
            up -L $PORT:localhost:\(echo) \(web.id)
            fetch 9 200000 $PORT
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "9\n")
        #expect(try await aws.sessions().map(\.cuts) == [25])
        try await expectCleanSessions(1)
    }

    @Test("with an old agent one connection follows the other, and none is mixed with another")
    func oldAgent() async throws {
        try await aws.order("plan", ["agent": "3.0.161.0"])
        let run = try await script(
            """
            up -L $PORT:localhost:\(echo) \(web.id)
            fetch --endless 4 20000 $PORT
            fetch --endless 1 20000 $PORT
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "4\n1\n")
        try await expectCleanSessions(1)
    }

    @Test("a client that stalls stops no other")
    func stall() async throws {
        try await aws.order("plan", ["payload": 32_768, "pause": 0])
        let run = try await script(
            """
            up -L $PORT:localhost:\(echo) \(web.id)
            python3 -c '
            import socket, subprocess, sys
            stalled = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
            stalled.sendall(b"give 6000000\\n")
            subprocess.run(sys.argv[2:], check=True)
            size = 0
            while piece := stalled.recv(1 << 20):
                size += len(piece)
            print(size)
            ' $PORT python3 -B \(client.lab.root)/tools/gateway/echoclients.py 6 50000 $PORT
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "6\n6000000\n")
    }

    @Test("a port that nobody listens on is told, and the client sees its end")
    func refused() async throws {
        let run = try await script(
            """
            up -L $PORT:localhost:1 -L $OTHER:localhost:\(echo) \(web.id)
            python3 -c '
            import socket, sys
            print(socket.create_connection(("127.0.0.1", int(sys.argv[1]))).recv(1))' $PORT
            waitFor grep -q "the agent cannot connect to \(web.id) port 1" said
            fetch 1 1000 $OTHER
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "b''\n1\n")
    }

    @Test("a session that AWS has ended is begun anew by the next connection")
    func ended() async throws {
        async let run = script(
            """
            up -v -L $PORT:localhost:\(echo) \(web.id)
            fetch 2 1000 $PORT
            waitFor grep -q "is over: Your session timed out" said
            fetch 2 1000 $PORT
            down
            """
        )
        while try await aws.sessions().first.map({ $0.bytesUp < 2000 }) ?? true {
            try await Task.sleep(for: .milliseconds(50))
        }
        try await aws.order("end", ["text": "Your session timed out due to inactivity"])
        let done = try await run
        #expect(done.status == 0, "\(done.errorText)")
        #expect(done.outputText == "2\n2\n")
        try await expectCleanSessions(2)
    }

    @Test("-f goes to the background when the session stands, and not before")
    func background() async throws {
        let run = try await ProgramRun.run(
            [
                "/bin/sh", "-c",
                """
                set -e
                \(forwardWords)
                PORT=$(free)
                \(client.binary) -f -N -o EC2Ways=ssm -L $PORT:localhost:\(echo) \(web.id)
                python3 -B \(client.lab.root)/tools/gateway/echoclients.py 3 1000 $PORT
                # It has no terminal and no parent; the test's user has no other.
                pkill -U $(id -u) -x ec2sh
                """,
            ],
            as: client.user,
            environment: aws.environment,
            limit: .seconds(60)
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "3\n")
        let failed = try await client.run(
            ["-f", "-N", "-o", "EC2Ways=ssm", "-L", "61234:localhost:1", "i-00000000000000000"],
            environment: aws.environment
        )
        #expect(failed.status == 255)
        #expect(failed.errorText.contains("i-00000000000000000"), "\(failed.errorText)")
    }

    @Test("what keeps a session from being had is told with its remedy, and ends the run")
    func denied() async throws {
        let stopped = try await aws.launch("stopped", ["state": "stopped"])
        let forward = ["-N", "-o", "EC2Ways=ssm", "-L", "61234:10.0.0.9:80", web.id]
        try await aws.order(
            "deny",
            ["actions": ["document:AWS-StartPortForwardingSessionToRemoteHost"]]
        )
        let denied = try await client.run(forward, environment: aws.environment)
        #expect(denied.status == 255)
        #expect(denied.errorText.contains("ToRemoteHost"), "\(denied.errorText)")
        try await aws.set(web, ["ssm": nil])
        let absent = try await client.run(forward, environment: aws.environment)
        #expect(absent.status == 255)
        #expect(absent.errorText.contains("is not connected to Systems Manager"))
        #expect(absent.errorText.contains("ec2sh: hint: it needs a running SSM agent"))
        let run = try await client.run(
            ["-N", "-o", "EC2Ways=ssm", "-L", "61234:localhost:80", stopped.id],
            environment: aws.environment
        )
        #expect(run.status == 255)
        #expect(run.errorText.contains("\(stopped.id) is stopped"), "\(run.errorText)")
        #expect(run.errorText.contains("aws ec2 start-instances"))
    }

    @Test("an instance that is named by its tag is found for it, and AWS is asked for no more")
    func byName() async throws {
        let run = try await script(
            """
            up -L $PORT:localhost:\(echo) web
            fetch 1 1000 $PORT
            down
            """
        )
        #expect(run.status == 0, "\(run.errorText)")
        #expect(run.outputText == "1\n")
        try await expectCleanSessions(1)
    }
}

/// Helpers that live as long as the tests do.
private let kept = Mutex<[LabHelper]>([])
