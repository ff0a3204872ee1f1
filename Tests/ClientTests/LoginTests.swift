import EC2
import Faults
import Foundation
import Posix
import SSH
import SSHConfig
import Terminal
import TestSupport
import Testing

@testable import Client

/// One login against an sshd of its own, with an askpass program that answers.
private struct LoginRun {
    let server: SSHDServer
    var options = Options(host: "target")
    /// What askpass answers, line by line.
    var answers: [String] = []
    var user: String
    var agent: String?
    /// What worked the last time.
    var remembered: RememberedLogin?
    /// What is found when the server has taken no key.
    var findMore: (([LoginIdentity]) throws -> [LoginIdentity])?

    init(_ sshd: [String] = []) throws {
        server = try SSHDServer(sshd)
        user = server.user
    }

    mutating func use(_ paths: [String]) {
        let one = options.identities.first
        options.identities = paths.compactMap { path in
            one.map { identity in
                var identity = identity
                identity.path = path
                identity.origin = .commandLine
                return identity
            }
        }
    }

    struct Result {
        var method: String?
        var refusal: LoginRefused?
        var fault: (any Error)?
        var said: [String]
        /// What askpass was asked.
        var prompts: [String]
    }

    func run() throws -> Result {
        var said: [String] = []
        let trace = Trace(level: .info) { said.append($0) }
        let poller = Poller(signals: try Signals())
        let session = try Session(
            descriptor: Descriptor(owning: try server.connect()),
            parameters: SessionParameters(
                peer: SSHError.Peer(host: "target", address: "192.0.2.1 port 22")
            ),
            trace: trace
        )
        poller.add(session)
        _ = try poller.wait(until: readClock() + .seconds(10)) { try session.connect() }
        let prompter = Prompter(environment: try askpass(), trace: trace)
        var login = Login(
            session,
            user: user,
            host: "target",
            options: options,
            keys: LoginKeys(
                options: options,
                prompter: prompter,
                trace: trace,
                agentPath: agent,
                token: nil,
                environment: [:],
                expand: { $0 },
                remembered: remembered,
                findMore: findMore
            ),
            prompter: prompter,
            poller: poller,
            trace: trace,
            isUTF8: false
        )
        var result = Result(said: [], prompts: [])
        do {
            result.method = try login.run()
        } catch let refusal as LoginRefused {
            result.refusal = refusal
        } catch {
            result.fault = error
        }
        result.said = said.map {
            $0.replacingOccurrences(of: server.directory.path, with: "D")
        }
        result.prompts = (try? lines("prompts")) ?? []
        return result
    }

    /// A program that gives one answer after the other and writes down what it is asked.
    private func askpass() throws -> [String: String] {
        let directory = server.directory.path
        let script = """
            #!/bin/sh
            echo "$1" >> \(directory)/prompts
            head -1 \(directory)/answers
            sed -i 1d \(directory)/answers
            """
        try script.write(toFile: directory + "/script", atomically: false, encoding: .utf8)
        // A program that this process itself has written may still be open for writing in a child
        // that another test starts just now, and then cannot be run (ETXTBSY).
        try runTool(
            "/usr/bin/install",
            ["-m", "700", directory + "/script", directory + "/askpass"]
        )
        try answers.map { $0 + "\n" }.joined()
            .write(toFile: directory + "/answers", atomically: false, encoding: .utf8)
        return [
            "SSH_ASKPASS": directory + "/askpass", "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
        ]
    }

    private func lines(_ name: String) throws -> [String] {
        try String(contentsOfFile: server.directory.path + "/" + name, encoding: .utf8)
            .replacingOccurrences(of: server.directory.path, with: "D")
            .split(separator: "\n").map(String.init)
    }
}

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct LoginTests {
    @Test func aKeyFileLogsIn() throws {
        var run = try LoginRun()
        run.use([try run.server.makeKey("stranger"), run.server.clientKey])
        let result = try run.run()
        #expect(result.method == "publickey")
        #expect(result.said == [])
    }

    @Test func thePassphraseIsAskedForOnlyWhenTheServerTakesTheKey() throws {
        var run = try LoginRun()
        let stranger = try run.server.makeKey("stranger", ["-N", "secret"])
        let encrypted = try run.server.makeKey("encrypted", ["-N", "secret"])
        try run.server.authorize(encrypted)
        run.use([stranger, encrypted])
        run.answers = ["wrong", "secret"]
        let result = try run.run()
        #expect(result.method == "publickey")
        let prompt = "Enter passphrase for key 'D/encrypted': "
        #expect(result.prompts == [prompt, prompt])
    }

    @Test func anEmptyPassphraseGoesOnToTheNextKey() throws {
        var run = try LoginRun()
        let encrypted = try run.server.makeKey("encrypted", ["-N", "secret"])
        try run.server.authorize(encrypted)
        run.use([encrypted, run.server.clientKey])
        run.answers = [""]
        let result = try run.run()
        #expect(result.method == "publickey")
        #expect(result.prompts.count == 1)
    }

    @Test func aRefusalSaysWhatOpenSSHSaysAndTellsWhatCameOfEachKey() throws {
        var run = try LoginRun([
            "PasswordAuthentication no", "KbdInteractiveAuthentication no",
        ])
        let broken = run.server.directory.path + "/broken"
        try "junk\n".write(toFile: broken, atomically: false, encoding: .utf8)
        chmod(broken, 0o600)
        run.use([try run.server.makeKey("stranger"), broken, broken + "-missing"])
        let result = try run.run()
        #expect(
            result.refusal?.words == ["\(run.user)@target: Permission denied (publickey)."]
        )
        #expect(result.refusal?.offeredKeys.map { $0.hasSuffix("stranger") } == [true])
        #expect(result.refusal?.keys.count == 2)
        #expect(result.said.contains("Load key \"D/broken\": error in libcrypto"))
        #expect(
            result.said.contains(
                "no such identity: D/broken-missing: No such file or directory"
            )
        )
    }

    @Test func keysThatAreFoundAreTriedBeforeAPasswordIsAskedFor() throws {
        var run = try LoginRun(["KbdInteractiveAuthentication no"])
        let stranger = try run.server.makeKey("stranger")
        let right = run.server.clientKey
        run.use([stranger])
        var asked: [[String]] = []
        run.findMore = { own in
            asked.append(own.map(\.name))
            return [LoginIdentity(name: right)]
        }
        let result = try run.run()
        #expect(result.method == "publickey")
        #expect(result.prompts == [] && result.said == [])
        #expect(asked == [[stranger]])
        // Nobody looks while the user's own key does.
        run.use([right])
        _ = try run.run()
        #expect(asked.count == 1)
        // Nor twice where there is nothing to be found.
        run.use([stranger])
        run.findMore = { _ in
            asked.append([])
            return []
        }
        let refused = try run.run()
        #expect(asked.count == 2)
        #expect(refused.refusal?.offeredKeys == [stranger])
    }

    @Test func theKeyThatWorkedTheLastTimeGoesFirstUnlessAnotherOneIsNamed() throws {
        var run = try LoginRun(["MaxAuthTries 2", "PasswordAuthentication no"])
        let right = run.server.clientKey
        let strangers = try (1...4).map { try run.server.makeKey("stranger\($0)") }
        let line = try String(contentsOfFile: right + ".pub", encoding: .utf8)
        let key = try #require(UserKey(publicKeyFile: Array(line.utf8)))
        run.use(strangers)
        run.remembered = RememberedLogin(
            user: run.user,
            key: key.plain.fingerprint(),
            keyPath: right
        )
        #expect(try run.run().method == "publickey")
        // The file has another key by now: nothing is known of it.
        run.remembered?.keyPath = strangers[3]
        #expect(try run.run().method == nil)
        run.remembered?.keyPath = right
        run.options.identitiesOnly = true
        #expect(try run.run().method == nil)
        run.options.identitiesOnly = false
        run.options.given.insert(.identityFile)
        #expect(try run.run().method == nil)
    }

    @Test func passwordsAreAskedForThreeTimes() throws {
        var run = try LoginRun(["KbdInteractiveAuthentication no"])
        run.use([])
        run.answers = ["a", "b", "c", "d"]
        let result = try run.run()
        #expect(
            result.refusal?.words == [
                "\(run.user)@target: Permission denied (publickey,password)."
            ]
        )
        #expect(
            result.prompts == Array(repeating: "\(run.user)@target's password: ", count: 3)
        )
        #expect(
            result.said == Array(repeating: "Permission denied, please try again.", count: 2)
        )
    }

    @Test func nobodyIsAskedInBatchMode() throws {
        var run = try LoginRun()
        run.options.batchMode = true
        let encrypted = try run.server.makeKey("encrypted", ["-N", "secret"])
        try run.server.authorize(encrypted)
        run.use([encrypted])
        let result = try run.run()
        #expect(
            result.refusal?.keys.map(\.result) == [
                .unusable("incorrect passphrase supplied to decrypt private key")
            ]
        )
        #expect(result.prompts == [])
    }

    @Test func theDisconnectAfterTooManyTriesIsAFaultAndNoRefusal() throws {
        var run = try LoginRun(["MaxAuthTries 2"])
        run.use(try (0..<4).map { try run.server.makeKey("stranger\($0)") })
        let result = try run.run()
        #expect(
            (result.fault as? SSHError)?.words?.first
                == "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures"
        )
    }

    @Test func aPublicKeyAloneIsEnoughWhenTheAgentHasThePrivateOne() throws {
        var run = try LoginRun()
        let other = try run.server.makeKey("other")
        let agent = try TestAgent(run.server, keys: [other, run.server.clientKey])
        run.agent = agent.socket
        run.options.identitiesOnly = true
        run.use([run.server.clientKey + ".pub"])
        let result = try run.run()
        #expect(result.method == "publickey")
    }

    @Test func aCertificateBesideAKeyThatTheAgentHasIsFoundByItsName() throws {
        var run = try LoginRun()
        let authority = try run.server.makeKey("authority")
        try run.server.configure([
            "TrustedUserCAKeys \(authority).pub", "AuthorizedKeysFile none",
        ])
        let path = try run.server.makeKey("certified")
        let agent = try TestAgent(run.server, keys: [path])
        try run.server.certify(path, by: authority, principals: run.user)
        try FileManager.default.removeItem(atPath: path)
        run.agent = agent.socket
        run.use([path])
        let result = try run.run()
        #expect(result.method == "publickey")
    }

    @Test func aKeyThatDidItsWorkIsAddedToTheAgentWhenThatIsWanted() throws {
        var run = try LoginRun()
        let other = try run.server.makeKey("other")
        let agent = try TestAgent(run.server, keys: [other])
        run.agent = agent.socket
        run.use([run.server.clientKey])
        run.options.addKeysToAgent = AddKeysToAgent(.ask)
        run.answers = ["no", "yes"]
        #expect(try run.run().method == "publickey")
        #expect(try Agent(path: agent.socket).identities().count == 1)
        run.options.addKeysToAgent = AddKeysToAgent(.yes, lifetime: 600)
        #expect(try run.run().method == "publickey")
        let names = try Agent(path: agent.socket).identities().map(\.comment)
        #expect(names == ["other", "client"])
    }

    @Test func twoKeysInTurnLogIn() throws {
        var run = try LoginRun(["AuthenticationMethods publickey,publickey"])
        let second = try run.server.makeKey("second")
        try run.server.authorize(second)
        run.use([run.server.clientKey, second])
        let result = try run.run()
        #expect(result.method == "publickey")
    }
}
