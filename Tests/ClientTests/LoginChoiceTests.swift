import SSH
import SSHConfig
import Testing

@testable import Client

struct LoginMethodsTests {
    fileprivate func options(_ change: (inout Options) -> Void = { _ in }) -> Options {
        var options = Options(host: "h")
        change(&options)
        return options
    }

    /// What is used, in order, when each method is given up at once.
    private func order(_ options: Options, _ server: [String]) -> [String] {
        var methods = LoginMethods(options)
        var order: [String] = []
        while let method = methods.next(server) {
            order.append(method.rawValue)
            methods.giveUp(method)
        }
        return order
    }

    @Test func methodsComeInOpenSSHsOrderAndNotInTheServers() {
        let server = ["password", "keyboard-interactive", "publickey", "gssapi-with-mic"]
        #expect(order(options(), server) == ["publickey", "keyboard-interactive", "password"])
        #expect(
            order(options { $0.gssapiAuthentication = true }, server).first == "gssapi-with-mic"
        )
    }

    @Test func preferredAuthenticationsIsOrderAndLimit() {
        let chosen = options { $0.preferredAuthentications = "password,hostbased,publickey" }
        #expect(
            order(chosen, ["publickey", "password", "hostbased"]) == ["password", "publickey"]
        )
    }

    @Test func nobodyIsAskedInBatchMode() {
        let server = ["publickey", "password", "keyboard-interactive"]
        #expect(order(options { $0.batchMode = true }, server) == ["publickey"])
    }

    @Test func aMethodGoesOnUntilItIsGivenUp() {
        var methods = LoginMethods(options())
        let server = ["publickey", "password"]
        #expect(methods.next(server) == .publicKey)
        #expect(methods.next(server) == .publicKey)
        methods.giveUp(.publicKey)
        #expect(methods.next(server) == .password)
    }

    @Test func anotherListStartsTheChoiceOverWithoutWhatWasGivenUp() {
        var methods = LoginMethods(options())
        #expect(methods.next(["publickey", "password"]) == .publicKey)
        methods.giveUp(.publicKey)
        #expect(methods.next(["publickey", "password"]) == .password)
        #expect(methods.next(["publickey", "keyboard-interactive"]) == .interactive)
    }
}

extension LoginMethodsTests {
    @Test("With a pushed key nobody is asked for more, unless the server wants more than a key")
    func keyFirst() {
        var methods = LoginMethods(options(), keyFirst: true)
        #expect(methods.next(["publickey", "password"]) == .publicKey)
        methods.giveUp(.publicKey)
        #expect(methods.next(["publickey", "password"]) == nil)
        // After the key: a code.
        var after = LoginMethods(options(), keyFirst: true)
        #expect(after.next(["publickey", "password"]) == .publicKey)
        #expect(after.next(["keyboard-interactive"]) == .interactive)
        // Before it: a password.
        var before = LoginMethods(options(), keyFirst: true)
        #expect(before.next(["password"]) == .password)
        #expect(before.next(["publickey"]) == .publicKey)
        var batch = LoginMethods(options { $0.batchMode = true }, keyFirst: true)
        #expect(batch.next(["password"]) == nil)
    }
}

struct LoginIdentitiesTests {
    private func key(_ number: UInt8) throws -> UserKey {
        let name = Array("ssh-ed25519".utf8)
        let blob = [0, 0, 0, 11] + name + [0, 0, 0, 32] + [UInt8](repeating: number, count: 32)
        return try #require(UserKey(blob: blob))
    }

    private func names(
        files: [(String, UInt8?)] = [],
        certificates: [(String, UInt8)] = [],
        agent: [(String, UInt8)] = [],
        _ change: (inout Options) -> Void = { _ in }
    ) throws -> [String] {
        var options = Options(host: "h")
        change(&options)
        return try LoginIdentities(
            files: files.map { name, number in
                LoginIdentity(name: name, key: try number.map(key))
            },
            certificates: certificates.map { LoginIdentity(name: $0, key: try key($1)) },
            agentKeys: agent.map { LoginIdentity(name: $0, key: try key($1), isInAgent: true) },
            options: options
        ).queue.map { $0.isInAgent ? $0.name + "*" : $0.name }
    }

    @Test func certificatesThenNamedAgentKeysThenOtherAgentKeysThenFiles() throws {
        let order = try names(
            files: [("f1", 1), ("f2", nil), ("f3", 3)],
            certificates: [("c", 9)],
            agent: [("a5", 5), ("a3", 3), ("a1", 1)]
        )
        #expect(order == ["c", "f3*", "f1*", "a5*", "f2"])
    }

    @Test func identitiesOnlyLeavesTheAgentsOtherKeysOut() throws {
        let order = try names(files: [("f1", 1)], agent: [("a5", 5), ("a1", 1)]) {
            $0.identitiesOnly = true
        }
        #expect(order == ["f1*"])
    }

    @Test func algorithmsThatAreNotAcceptedAreLeftOutAsFarAsTheyAreKnown() throws {
        let order = try names(files: [("f1", 1), ("f2", nil)], agent: [("a5", 5)]) {
            $0.pubkeyAcceptedAlgorithms = ["rsa-sha2-256"]
        }
        #expect(order == ["f2"])
    }

    @Test func keysThatWereFoundAreAddedOnceAndOnlyIfTheirAlgorithmIsAccepted() throws {
        var options = Options(host: "h")
        var identities = LoginIdentities(
            files: [LoginIdentity(name: "f1", key: try key(1)), LoginIdentity(name: "f2")],
            certificates: [],
            agentKeys: [LoginIdentity(name: "a5", key: try key(5), isInAgent: true)],
            options: options
        )
        let more = [
            LoginIdentity(name: "same key", key: try key(5)), LoginIdentity(name: "f2"),
            LoginIdentity(name: "new", key: try key(7)), LoginIdentity(name: "unread"),
        ]
        _ = identities.next()
        identities.add(more, first: true)
        #expect(identities.queue.map(\.name) == ["new", "unread", "f1", "f2", "a5"])
        identities.add([LoginIdentity(name: "last", key: try key(8))], first: false)
        #expect(identities.queue.last?.name == "last")
        options.pubkeyAcceptedAlgorithms = ["rsa-sha2-256"]
        var picky = LoginIdentities(files: [], certificates: [], agentKeys: [], options: options)
        picky.add(more, first: true)
        #expect(picky.queue.map(\.name) == ["f2", "unread"])
    }

    @Test func theKeyThatIsPreferredIsTheNextToBeTried() throws {
        var identities = LoginIdentities(
            files: ["f1", "f2", "f3"].map { LoginIdentity(name: $0) },
            certificates: [],
            agentKeys: [],
            options: Options(host: "h")
        )
        identities.prefer { $0.name == "f3" }
        #expect(identities.queue.map(\.name) == ["f3", "f1", "f2"])
        identities.prefer { $0.name == "none" }
        #expect(identities.queue.map(\.name) == ["f3", "f1", "f2"])
    }

    @Test func eachKeyIsTriedOnceUntilAPartialSuccess() throws {
        var identities = LoginIdentities(
            files: [LoginIdentity(name: "f1"), LoginIdentity(name: "f2")],
            certificates: [],
            agentKeys: [],
            options: Options(host: "h")
        )
        #expect(identities.next()?.name == "f1")
        #expect(identities.next()?.name == "f2")
        #expect(identities.next() == nil)
        identities.reset()
        #expect(identities.next()?.name == "f1")
    }
}

struct LoginTextTests {
    @Test(
        arguments: [
            ("plain\r\n\ttext\\", false, "plain\r\n\ttext\\"),
            ("\u{1b}[31m\u{7}", true, "\\033[31m\\007"),
            ("grüße", true, "grüße"), ("ü", false, "\\303\\274"),
            ("\u{9b}31m", true, "\\302\\23331m"), ("\u{202e}x", true, "\\342\\200\\256x"),
        ]
    )
    func whatATerminalShowsStaysAndTheRestIsEscaped(text: String, isUTF8: Bool, shown: String) {
        #expect(printableText(Array(text.utf8), isUTF8: isUTF8) == Array(shown.utf8))
    }

    @Test func brokenUTF8IsEscapedByteByByte() {
        #expect(
            printableText([0xc3, 0x28, 0xff, 0xe2, 0x82], isUTF8: true)
                == Array("\\303(\\377\\342\\202".utf8)
        )
    }
}
