import Foundation
import Posix
import TestSupport
import Testing

@testable import SSH

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct LoginMethodTests {
    @Test func aRefusedNoneNamesTheMethodsInTheServersOrder() throws {
        let it = try SessionFixture(["KbdInteractiveAuthentication yes"])
        try it.wait(it.session.connect)
        let reply = try it.wait { try it.session.authenticateNone(user: it.server.user) }
        #expect(reply == .refused)
        #expect(
            it.session.methodsThatCanContinue == ["publickey", "password", "keyboard-interactive"]
        )
    }

    @Test(arguments: [0, 1, 30, 4096, 100_000])
    func aBannerComesByteForByte(size: Int) throws {
        let server = try SSHDServer()
        let banner = [UInt8](repeating: UInt8(ascii: "x"), count: size)
        let path = server.directory.appendingPathComponent("banner")
        try Data(banner).write(to: path)
        try server.configure(["Banner \(path.path)"])
        let it = try SessionFixture(server, descriptor: server.connect())
        try it.logIn()
        #expect(it.session.takeBanners() == (size == 0 ? [] : [banner]))
        #expect(it.session.takeBanners() == [])
    }

    @Test(
        arguments: [
            ["-t", "ed25519"], ["-t", "rsa", "-b", "2048"], ["-t", "ecdsa", "-b", "256"],
            ["-t", "rsa", "-b", "2048", "-m", "PEM"], ["-t", "ecdsa", "-b", "521", "-m", "PKCS8"],
            ["-t", "ed25519", "-N", "a passphrase"],
            ["-t", "rsa", "-m", "PEM", "-N", "a passphrase"],
            ["-t", "ecdsa", "-m", "PKCS8", "-N", "a passphrase"],
        ]
    )
    func aKeyOfEachKindAndFormatLogsIn(arguments: [String]) throws {
        let it = try SessionFixture()
        let path = try it.server.makeKey("key", arguments)
        try it.server.authorize(path)
        let text = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path)))
        if arguments.contains("-N") {
            for wrong in [nil, "", "another"] {
                #expect(throws: PrivateKey.Problem.wrongPassphrase) {
                    try PrivateKey(text: text, passphrase: wrong)
                }
            }
        }
        let key = try PrivateKey(
            text: text,
            passphrase: arguments.contains("-N") ? "a passphrase" : nil
        )
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        #expect(try it.wait { try it.session.offer(key.publicKey, user: it.server.user) })
        let reply = try it.wait { try it.session.authenticate(user: it.server.user, key: key) }
        #expect(reply == .accepted)
    }

    @Test func aKeyTheServerDoesNotKnowIsRefusedAndTheNextOneIsTaken() throws {
        let it = try SessionFixture()
        let stranger = try it.key(it.server.makeKey("stranger"))
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        #expect(try !it.wait { try it.session.offer(stranger.publicKey, user: it.server.user) })
        let reply = try it.wait { try it.session.authenticate(user: it.server.user, key: stranger) }
        #expect(reply == .refused)
        let key = try it.key(it.server.clientKey)
        #expect(
            try it.wait { try it.session.authenticate(user: it.server.user, key: key) } == .accepted
        )
    }

    @Test func tooManyFailuresAreNoticedAsADisconnect() throws {
        let it = try SessionFixture(["MaxAuthTries 1"])
        let stranger = try it.key(it.server.makeKey("stranger"))
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let error = #expect(throws: SSHError.self) {
            try it.wait { try it.session.authenticate(user: it.server.user, key: stranger) }
        }
        #expect(
            error?.words?.first
                == "Received disconnect from 192.0.2.1 port 22:2: Too many authentication failures"
        )
    }

    @Test func anotherUserOnTheSameConnectionIsNoticedAsADisconnect() throws {
        let it = try SessionFixture()
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let key = try it.key(it.server.clientKey)
        let error = #expect(throws: SSHError.self) {
            try it.wait { try it.session.authenticate(user: "somebodyelse", key: key) }
        }
        #expect(error?.summary.contains("Change of username or service not allowed") == true)
    }

    @Test func aWrongPasswordIsRefused() throws {
        let it = try SessionFixture()
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let reply = try it.wait {
            try it.session.authenticate(user: it.server.user, password: "surely not")
        }
        #expect(reply == .refused)
    }

    @Test func twoKeysInTurnArePartialSuccessAndThenALogin() throws {
        let it = try SessionFixture(["AuthenticationMethods publickey,publickey"])
        let second = try it.server.makeKey("second")
        try it.server.authorize(second)
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let keys = try [it.key(it.server.clientKey), it.key(second)]
        #expect(
            try it.wait { try it.session.authenticate(user: it.server.user, key: keys[0]) }
                == .partial
        )
        #expect(it.session.methodsThatCanContinue == ["publickey"])
        #expect(
            try it.wait { try it.session.authenticate(user: it.server.user, key: keys[1]) }
                == .accepted
        )
    }

    @Test func aCertificateLogsInWithItsKey() throws {
        let server = try SSHDServer()
        let authority = try server.makeKey("authority")
        try server.configure(["TrustedUserCAKeys \(authority).pub"])
        let it = try SessionFixture(server, descriptor: server.connect())
        let path = try server.makeKey("certified")
        try server.certify(path, by: authority, principals: server.user)
        let key = try it.key(path)
        let text = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "-cert.pub")))
        try key.attach(#require(UserKey(publicKeyFile: text)))
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: server.user) }
        #expect(try it.wait { try it.session.offer(key.publicKey, user: server.user) })
        #expect(
            try it.wait { try it.session.authenticate(user: server.user, key: key) } == .accepted
        )
    }
}

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct AgentLoginTests {
    @Test(arguments: ["ed25519", "rsa", "ecdsa"])
    func aKeyInAnAgentLogsIn(type: String) throws {
        let it = try SessionFixture()
        let path = try it.server.makeKey("key", ["-t", type])
        try it.server.authorize(path)
        let agent = try TestAgent(it.server, keys: [path])
        let connection = try Agent(path: agent.socket)
        let identity = try #require(connection.identities().first)
        let key = try #require(UserKey(blob: identity.blob))
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let reply = try it.wait {
            try it.session.authenticate(user: it.server.user, key: key) { request in
                connection.sign(request, with: identity.blob)
            }
        }
        #expect(reply == .accepted)
    }

    @Test(arguments: ["ed25519", "rsa", "ecdsa"], ["RFC4716", "PEM", "PKCS8"])
    func aKeyThatIsAddedToAnAgentLogsIn(type: String, format: String) throws {
        guard type != "ed25519" || format == "RFC4716" else { return }
        let it = try SessionFixture()
        let path = try it.server.makeKey("key", ["-t", type, "-m", format])
        try it.server.authorize(path)
        let agent = try TestAgent(it.server, keys: [it.server.clientKey])
        let connection = try Agent(path: agent.socket)
        let key = try it.key(path)
        let encoding = try #require(key.agentEncoding(comment: "a comment"))
        #expect(connection.ask(.add(key: encoding, constraints: [.lifetime(60)])) == .success)
        let identity = try #require(connection.identities().last)
        #expect(identity == AgentIdentity(blob: key.publicKey.blob, comment: "a comment"))
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let reply = try it.wait {
            try it.session.authenticate(user: it.server.user, key: key.publicKey) { request in
                connection.sign(request, with: identity.blob)
            }
        }
        #expect(reply == .accepted)
    }

    @Test func refusedKeysAreNotSignedWithAndTheNextOneIsTaken() throws {
        let it = try SessionFixture()
        let stranger = try it.server.makeKey("stranger")
        let agent = try TestAgent(it.server, keys: [stranger, it.server.clientKey])
        let connection = try Agent(path: agent.socket)
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        var replies: [LoginReply] = []
        for identity in connection.identities() {
            let key = try #require(UserKey(blob: identity.blob))
            replies.append(
                try it.wait {
                    try it.session.authenticate(user: it.server.user, key: key) { request in
                        identity.comment == "client"
                            ? connection.sign(request, with: identity.blob) : nil
                    }
                }
            )
        }
        #expect(replies == [.refused, .accepted])
    }

    @Test func anAgentThatDoesNotSignEndsTheAttemptAndNotTheConnection() throws {
        let it = try SessionFixture()
        let key = try it.key(it.server.clientKey)
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        #expect(throws: SSHError.notSigned) {
            try it.wait {
                try it.session.authenticate(user: it.server.user, key: key.publicKey) { _ in nil }
            }
        }
        #expect(
            try it.wait { try it.session.authenticate(user: it.server.user, key: key) }
                == .accepted
        )
    }

    @Test(arguments: ["rsa-sha2-512", "rsa-sha2-256"], ["RFC4716", "PEM", "PKCS8"])
    func ourOwnRSASignaturesAreGood(algorithm: String, format: String) throws {
        let it = try SessionFixture { $0.publicKeyAlgorithms = [algorithm] }
        let path = try it.server.makeKey("key", ["-t", "rsa", "-b", "2048", "-m", format])
        try it.server.authorize(path)
        let key = try it.key(path)
        let sign = try #require(key.rsaSigner())
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: it.server.user) }
        let reply = try it.wait {
            try it.session.authenticate(user: it.server.user, key: key.publicKey, sign: sign)
        }
        #expect(reply == .accepted)
    }

    @Test func whereSSHRSAWasAnnouncedForSHA2SHA2IsAskedFor() throws {
        var data = WireWriter()
        data.string([1, 2, 3])
        data.raw([50])
        for text in ["user", "ssh-connection", "publickey"] { data.string(Array(text.utf8)) }
        data.raw([1])
        data.string(Array("ssh-rsa".utf8))
        data.string([])
        let plain = SignatureRequest(data: data.bytes)
        #expect(plain?.algorithm == "ssh-rsa")
        let mended = SignatureRequest(data: data.bytes, rsa: "rsa-sha2-512")
        #expect(mended?.algorithm == "rsa-sha2-512")
        for length in 0..<data.bytes.count - 4 {
            #expect(SignatureRequest(data: Array(data.bytes.prefix(length))) == nil)
        }
    }

    @Test func aCertificateWhoseKeyIsInTheAgentLogsIn() throws {
        let server = try SSHDServer()
        let authority = try server.makeKey("authority")
        try server.configure(["TrustedUserCAKeys \(authority).pub"])
        let path = try server.makeKey("certified", ["-t", "rsa"])
        let agent = try TestAgent(server, keys: [path])
        try server.certify(path, by: authority, principals: server.user)
        let it = try SessionFixture(server, descriptor: server.connect())
        let text = try [UInt8](Data(contentsOf: URL(fileURLWithPath: path + "-cert.pub")))
        let certificate = try #require(UserKey(publicKeyFile: text))
        let connection = try Agent(path: agent.socket)
        try it.wait(it.session.connect)
        try it.wait { try it.session.authenticateNone(user: server.user) }
        let reply = try it.wait {
            try it.session.authenticate(user: server.user, key: certificate) { request in
                connection.sign(request, with: certificate.plain.blob)
            }
        }
        #expect(reply == .accepted)
    }
}
