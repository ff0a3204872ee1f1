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

    @Test("a client of a shared connection has the master's agent when it asks for it")
    func shared() async throws {
        let run = try await run(
            """
            "$@" -A -MNf -S master \(host) < /dev/null > /dev/null 2>&1
            "$@" -S master \(host) 'echo "<$SSH_AUTH_SOCK>"'
            "$@" -A -S master \(host) \(list)
            "$@" -S master -O exit \(host) 2> /dev/null
            """
        )
        #expect(run.outputText == "<>\n256 first\n", "\(run.errorText)")
    }
}

/// AddKeysToAgent: keys that did their work are given to the agent.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct AddKeysTests {
    let client: Client
    let host = "alice@plain.lab"

    init() throws {
        var client = try Client()
        client.options = ["-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes"]
        self.client = client
    }

    /// Logs in with an encrypted key and lists what the agent has then.
    /// - Parameters:
    ///   - value: AddKeysToAgent.
    ///   - answers: what the askpass program says, in turn.
    ///   - after: what is run in the end.
    /// - Returns: the whole run; what the last of it printed is its output.
    /// - Throws: when a file cannot be written.
    private func run(
        _ value: String,
        answers: [String],
        after: String = "ssh-add -l"
    ) async throws -> ProgramRun {
        let key = try client.user.takeKey("ed25519", as: "key")
        let asked = client.user.path("asked")
        let cases = answers.enumerated().map { "\($0 + 1)) echo '\($1)';;" }
        let askpass = try client.user.write(
            "askpass",
            """
            #!/bin/sh
            echo "$1" | head -n 1 >> \(asked)
            case $(wc -l < \(asked)) in \(cases.joined(separator: " ")) esac
            """,
            mode: 0o755
        )
        let script = """
            cd; ssh-keygen -q -p -f \(key) -P '' -N sesame > /dev/null
            ssh-keygen -y -P sesame -f key > key.pub
            eval $(ssh-agent) > /dev/null; trap 'kill $SSH_AGENT_PID' EXIT
            "$@" -i key -oAddKeysToAgent='\(value)' \(host) true < /dev/null
            \(after)
            """
        return try await ProgramRun.run(
            ["/bin/sh", "-c", script, "sh", client.binary] + client.options,
            as: client.user,
            environment: [
                "SSH_ASKPASS": askpass, "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
            ]
        )
    }

    @Test("yes adds a key, no does not", arguments: [("yes", true), ("no", false)])
    func adds(value: String, isAdded: Bool) async throws {
        let run = try await run(value, answers: ["sesame"])
        #expect(run.outputText.contains("(ED25519)") == isAdded, "\(run.errorText)")
    }

    @Test(
        "ask asks as ssh does, and takes nothing for yes",
        arguments: [("yes", true), ("", true), ("no", false), ("YES", true)]
    )
    func asks(answer: String, isAdded: Bool) async throws {
        let run = try await run("ask", answers: ["sesame", answer])
        #expect(run.outputText.contains("(ED25519)") == isAdded, "\(run.errorText)")
        let asked = client.user.contents("asked")?.split(separator: "\n") ?? []
        #expect(asked.count == 2)
        #expect(asked.last?.hasPrefix("Add key key (") == true)
        #expect(asked.last?.hasSuffix(") to agent?") == true)
    }

    @Test("confirm makes the agent ask at each use")
    func confirms() async throws {
        let run = try await run(
            "confirm",
            answers: ["sesame", "no"],
            after: "ssh-add -T key.pub && echo signed"
        )
        #expect(!run.outputText.contains("signed"), "\(run.errorText)")
    }

    @Test("a lifetime lets the agent forget the key", arguments: ["2", "confirm 2"])
    func lifetime(value: String) async throws {
        let run = try await run(
            value,
            answers: ["sesame"],
            after: "ssh-add -l | grep -c ED25519; sleep 3; ssh-add -l | grep -c ED25519"
        )
        #expect(run.outputText == "1\n0\n", "\(run.errorText)")
    }
}
