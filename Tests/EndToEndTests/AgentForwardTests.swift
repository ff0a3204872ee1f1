import Foundation
import TestSupport
import Testing

/// Programs on the server ask the client's agent.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct AgentForwardTests {
    let client: Client
    let host = "admin@debian.lab"
    private let list = "'ssh-add -l 2>&1 | cut -d\" \" -f1,3'"

    init() throws { client = try Client.withKey() }

    /// Runs a script that has the client's command line in `"$@"`, one key in the agent of
    /// SSH_AUTH_SOCK and another in that of OTHER.
    private func run(_ script: String, limit: Duration = .seconds(60)) async throws -> ProgramRun {
        let agents = """
            cd; umask 077
            ssh-keygen -qt ed25519 -N '' -C first -f first
            ssh-keygen -qt ed25519 -N '' -C other -f other
            eval $(ssh-agent -a other.sock) >/dev/null; OTHER=$PWD/other.sock; P=$SSH_AGENT_PID
            ssh-add -q other
            eval $(ssh-agent -a first.sock) >/dev/null; export SSH_AUTH_SOCK=$PWD/first.sock
            trap 'kill $P $SSH_AGENT_PID' EXIT
            ssh-add -q first; export OTHER
            \(script)
            """
        return try await ProgramRun.run(
            ["/bin/sh", "-c", agents, "sh", client.binary] + client.options,
            as: client.user,
            limit: limit
        )
    }

    @Test(
        "the agent that is asked for is the one that answers",
        arguments: [
            ("-A", "first"), ("-oForwardAgent=yes", "first"), ("-oForwardAgent=$OTHER", "other"),
            ("'-oForwardAgent=$OTHER'", "other"), ("-A -oIdentityAgent=$OTHER", "other"),
        ]
    )
    func forwards(flags: String, key: String) async throws {
        let run = try await run("\"$@\" \(flags) \(host) \(list)")
        #expect(run.outputText == "256 \(key)\n", "\(run.errorText)")
    }

    @Test(
        "without -A, with -a, and without an agent nothing is forwarded and nothing is said",
        arguments: [
            "", "-oForwardAgent=yes -a", "-A -oIdentityAgent=none", "'-oForwardAgent=$NOTHING'",
        ]
    )
    func silentlyOff(flags: String) async throws {
        let run = try await run("\"$@\" \(flags) \(host) 'echo \"<$SSH_AUTH_SOCK>\"'")
        #expect(run.outputText == "<>\n")
        let said = complaints(run).filter { !$0.hasPrefix("Cannot forward agent socket path") }
        #expect(said == [])
    }

    @Test("a socket that is not there is an error line, and the run goes on")
    func missingSocket() async throws {
        let run = try await run("\"$@\" -oForwardAgent=/nowhere/agent \(host) echo on")
        #expect(run.outputText == "on\n")
        #expect(
            complaints(run) == [
                "Cannot forward agent socket path \"/nowhere/agent\": No such file or directory"
            ]
        )
    }

    @Test("many programs at once each get their answers")
    func many() async throws {
        let run = try await run(
            """
            "$@" -A \(host) 'for i in $(seq 40); do ssh-add -l & done; wait' | sort | uniq -c
            """
        )
        let words = run.outputText.split(separator: " ")
        #expect(words.first == "40" && words.last == "(ED25519)\n", "\(run.errorText)")
    }

    @Test("a connection to the agent that stays open keeps no other from its answer")
    func held() async throws {
        let script = """
            import os, socket, struct, subprocess
            s = socket.socket(socket.AF_UNIX)
            s.connect(os.environ["SSH_AUTH_SOCK"])
            print(subprocess.run(["ssh-add", "-l"], stdout=subprocess.DEVNULL).returncode)
            s.sendall(struct.pack(">IB", 1, 11))
            print(s.recv(65536)[4])
            """
        try client.user.write("held.py", script)
        let run = try await run("\"$@\" -A \(host) python3 - < held.py")
        #expect(run.outputText == "0\n12\n", "\(run.errorText)")
    }

    @Test("a changed host key that is let by gets no agent")
    func untrusted() async throws {
        let wrong = try String(
            contentsOfFile: client.lab.instance("ubuntu").hostKeys + "/ssh_host_ed25519_key.pub",
            encoding: .utf8
        )
        try client.user.write("wrong", "debian.lab \(wrong)")
        let run = try await run(
            """
            ssh=$1; shift
            $ssh -oStrictHostKeyChecking=no "$@" -A -oUserKnownHostsFile=wrong \
            -oHostKeyAlgorithms=ssh-ed25519 \(host) 'echo "<$SSH_AUTH_SOCK>"'
            """
        )
        #expect(run.outputText == "<>\n", "\(run.errorText)")
        #expect(
            run.errorText.contains(
                "Agent forwarding is disabled to avoid man-in-the-middle attacks."
            )
        )
    }
}
