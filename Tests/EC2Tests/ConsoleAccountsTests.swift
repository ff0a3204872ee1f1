import AWS
import Foundation
import Synchronization
import Testing

@testable import EC2

private let print7f = (0..<32).map { String(format: "%02x", 0x7f - $0) }.joined(separator: ":")
private let print00 = (0..<32).map { String(format: "%02x", $0) }.joined(separator: ":")

/// A table as cloud-init 24 prints it, for one key.
private func table(_ user: String, _ print: String = print7f, options: String = "-") -> String {
    """
    ci-info: ++++++++++++++Authorized keys from /home/\(user)/.ssh/authorized_keys for user \(user)++++++++++++++
    ci-info: +---------+-------------------------------------------------+---------+---------+
    ci-info: | Keytype |               Fingerprint (sha256)              | Options | Comment |
    ci-info: +---------+-------------------------------------------------+---------+---------+
    ci-info: | ssh-rsa | \(print) |    \(options)    |  my-key |
    ci-info: +---------+-------------------------------------------------+---------+---------+

    """
}

private func accounts(_ text: String) -> ConsoleAccounts {
    ConsoleAccounts(output: Array(text.utf8))
}

struct ConsoleAccountsTests {
    @Test(
        "The user and the key stand in a table, whatever a log has put before it",
        arguments: ["", "[   15.512345] cloud-init[1727]: ", "<14>Nov 20 10:00:00 cloud-init: "]
    )
    func one(prefix: String) {
        let noise = "[  OK  ] Started something.\r\n"
        let lines = table("ubuntu").split(separator: "\n").map { prefix + $0 + "\r\n" + noise }
        let found = accounts(noise + lines.joined())
        #expect(found.users == ["ubuntu"])
        #expect(found.accounts.first?.keys.map { $0.prefix(2) } == [[0x7f, 0x7e]])
        #expect(found.proofs.count == 1)
    }

    @Test("Of several accounts the first one printed is first; one without a key is none")
    func several() {
        let text =
            table("ec2-user")
            + "ci-info: no authorized SSH keys fingerprints found for user backup.\n"
            + table("deploy", print00) + table("ec2-user", print00)
        #expect(accounts(text).users == ["ec2-user", "deploy"])
    }

    @Test("A key whose options run a command opens nothing")
    func forcedCommand() {
        let options = "no-pty,command=\"echo 'Please login as the user'\""
        #expect(accounts(table("root", options: options)).users.isEmpty)
        #expect(accounts(table("ops", options: "no-pty")).users == ["ops"])
    }

    @Test(
        "What is no table is none",
        arguments: [
            "", table("ubuntu").replacingOccurrences(of: "ci-info: ", with: "sshd[7]: ci-info: "),
            table("ubuntu").replacingOccurrences(of: "ci-info: ", with: "x ci-info: "),
            table("ubuntu").replacingOccurrences(of: "for user ubuntu", with: "for user -x y"),
            table("ubuntu", print7f.replacingOccurrences(of: ":", with: " ")),
            table("ubuntu", String(print7f.dropLast(3))),
            // A heading of another table closes the one before it.
            "ci-info: +++Authorized keys from /k for user ubuntu+++\n"
                + "ci-info: ++++++++Net device info++++++++\n"
                + "ci-info: | ssh-rsa | \(print7f) | - | x |\n",
        ]
    )
    func nothing(text: String) { #expect(accounts(text).users.isEmpty) }

    @Test("Any bytes are read, and a torn console gives whole names only")
    func anyBytes() {
        var generator = SystemRandomNumberGenerator()
        let whole = Array((table("ubuntu") + table("deploy")).utf8)
        for _ in 0..<2000 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...20, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            }
            let cut = Int.random(in: 0...bytes.count, using: &generator)
            for user in ConsoleAccounts(output: Array(bytes[cut...] + bytes[..<cut])).users {
                #expect(UserName.isPlausible(user))
            }
        }
        for cut in 0..<whole.count {
            let users = Set(ConsoleAccounts(output: Array(whole[cut...])).users)
            #expect(users.isSubset(of: ["ubuntu", "deploy"]))
        }
    }
}

struct ListedHostKeysTests {
    private let right = KeyVector.hostEd25519

    @Test("A listed key is proven, another of its kind is contradicted, others are unknown")
    func judged() {
        let listed = ListedHostKeys(
            output: "\(right.line)\r\n\ncat: nothing\n\(KeyVector.hostECDSA.line)"
        )
        #expect(listed.keys == [right.blob, KeyVector.hostECDSA.blob])
        #expect(listed.judge(right.blob) == .proven)
        #expect(listed.judge(KeyVector.otherEd25519.blob) == .contradicted)
        #expect(listed.judge(KeyVector.hostRSA.blob) == .silent)
        #expect(listed.judge([1, 2, 3]) == .silent)
    }

    @Test("What is cut off, or no key, proves nothing", arguments: ["", "ssh-ed25519", "é\u{0}"])
    func spoilt(text: String) {
        #expect(ListedHostKeys(output: text).judge(right.blob) == .silent)
        let torn = String(right.line.dropLast(30))
        #expect(ListedHostKeys(output: torn).judge(right.blob) == .silent)
    }

    @Test("The agent is asked once and waited for; what came to nothing lists nothing")
    func asked() async throws {
        for (last, keys) in [("Success", [right.blob]), ("Failed", []), ("TimedOut", [])] {
            let answers = ScriptedAnswers([
                "{\"Status\":\"Pending\"}", "{\"Status\":\"InProgress\"}",
                "{\"Status\":\"\(last)\",\"StandardOutputContent\":\"\(right.line)\\n\"}",
            ])
            let aws = ScriptedCaller([
                "AmazonSSM.SendCommand": { fields in
                    let body = fields["body"] ?? ""
                    #expect(body.contains("AWS-RunShellScript"))
                    #expect(body.contains("ssh_host_*_key.pub"))
                    return "{\"Command\":{\"CommandId\":\"c-1\"}}"
                },
                "AmazonSSM.GetCommandInvocation": { _ in try answers.next() },
            ])
            let listed = try await aws.listedHostKeys(
                of: "i-0123456789abcdef0",
                pausing: .milliseconds(1)
            )
            #expect(listed.keys == keys, "\(last)")
            #expect(aws.count("AmazonSSM.SendCommand") == 1)
            #expect(aws.count("AmazonSSM.GetCommandInvocation") == 4)
        }
    }
}

/// One answer after the other; the first says that the service does not know of the command yet.
private final class ScriptedAnswers: Sendable {
    private let rest: Mutex<ArraySlice<String>>
    private let isKnown = Mutex(false)

    init(_ answers: [String]) { rest = Mutex(answers[...]) }

    func next() throws -> String {
        let wasKnown = isKnown.withLock { known in
            defer { known = true }
            return known
        }
        guard wasKnown else {
            throw ServiceError(
                action: "ssm:GetCommandInvocation",
                code: "InvocationDoesNotExist",
                message: "",
                status: 400
            )
        }
        return rest.withLock { $0.popFirst() } ?? "{}"
    }
}
