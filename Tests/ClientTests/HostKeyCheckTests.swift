import EC2
import Faults
import Foundation
import SSH
import SSHConfig
import Testing

@testable import Client

/// Everything around one check: files, answers, what was said.
private final class Scene {
    let folder: String
    var options = Options(host: "h")
    var address: String? = "192.0.2.1"
    var matchesDNS: Bool?
    var answers: [String] = []
    var command: HostKeyCheck.Command?
    /// What AWS says of a key.
    var proof = InstanceProof.Verdict.silent
    private(set) var said: [String] = []
    private(set) var prompts: [String] = []

    init(_ text: String = "", system: String = "") {
        folder = NSTemporaryDirectory() + "ec2sh-trust-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: true
        )
        _ = FileManager.default.createFile(atPath: "\(folder)/user", contents: Data(text.utf8))
        _ = FileManager.default.createFile(atPath: "\(folder)/system", contents: Data(system.utf8))
        options.userKnownHostsFile = ["\(folder)/user"]
        options.globalKnownHostsFile = ["\(folder)/system"]
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    var file: String {
        String(
            decoding: FileManager.default.contents(atPath: "\(folder)/user") ?? Data(),
            as: UTF8.self
        )
    }

    /// What was said, with the folder's name taken out.
    var lines: [String] { said.map(clean) }
    var questions: [String] { prompts.map(clean) }

    private func clean(_ text: String) -> String {
        text.replacingOccurrences(of: folder, with: "F")
    }

    func verify(_ key: HostKey) throws -> HostKeyPolicy.Exposed {
        let trace = Trace(level: .info) { [unowned self] in said.append($0) }
        var policy = HostKeyPolicy(options, address: address, home: "/home/u")
        policy.matchesDNS = matchesDNS
        var check = HostKeyCheck(
            policy,
            known: KnownHosts.load(
                user: policy.userFiles,
                system: policy.systemFiles,
                trace: trace
            ),
            command: command,
            ask: { [unowned self] prompt in
                prompts.append(prompt)
                return answers.isEmpty ? nil : answers.removeFirst()
            },
            prove: { [unowned self] _ in proof },
            trace: trace
        )
        return try check.verify(key)
    }

    func refusal(_ key: HostKey) -> HostKeyRefusal? {
        do {
            _ = try verify(key)
            return nil
        } catch {
            return error as? HostKeyRefusal
        }
    }
}

private func line(_ name: String) -> String {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Vectors/known_hosts/\(name).pub").path
    let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    return text.split(separator: " ").prefix(2).joined(separator: " ")
}

private func key(_ line: String) -> HostKey {
    guard let blob = Data(base64Encoded: String(line.split(separator: " ")[1])),
        let key = HostKey(blob: blob)
    else { preconditionFailure("no key: \(line)") }
    return key
}

private let ed = line("ed25519")
private let other = line("ed25519-other")
private let rsa = line("rsa2048")
private let added = "Warning: Permanently added 'h' (ED25519) to the list of known hosts."
private let print = key(ed).fingerprint()
private let question = """
    The authenticity of host 'h (192.0.2.1)' can't be established.
    ED25519 key fingerprint is \(print).
    This key is not known by any other names.
    Are you sure you want to continue connecting (yes/no/[fingerprint])?\u{20}
    """
private let failed = ["Host key verification failed."]
private let changedBlock = [
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
    "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
    "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
    "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
    "Someone could be eavesdropping on you right now (man-in-the-middle attack)!",
    "It is also possible that a host key has just been changed.",
    "The fingerprint for the ED25519 key sent by the remote host is\n\(print).",
    "Please contact your system administrator.",
    "Add correct host key in F/user to get rid of this message.",
    "Offending ED25519 key in F/user:1",
    "  remove with:",
    "  ssh-keygen -f \"F/user\" -R \"h\"",
]
private let changedAndStrict =
    "Host key for h has changed and you have requested strict checking."

struct HostKeyCheckTests {
    @Test(
        "A known key passes without a word",
        arguments: [
            StrictHostKeyChecking.yes, .no, .ask, .acceptNew,
        ]
    )
    func known(strictness: StrictHostKeyChecking) throws {
        let scene = Scene("h \(other)\nh \(ed)\n")
        scene.options.strictHostKeyChecking = strictness
        #expect(try scene.verify(key(ed)) == [])
        #expect(scene.lines.isEmpty && scene.prompts.isEmpty)
    }

    @Test(
        "A new key is taken without a question by no and accept-new",
        arguments: [
            StrictHostKeyChecking.no, .acceptNew,
        ]
    )
    func taken(strictness: StrictHostKeyChecking) throws {
        let scene = Scene("x y z")
        scene.options.strictHostKeyChecking = strictness
        #expect(try scene.verify(key(ed)) == [])
        #expect(scene.lines == [added])
        #expect(scene.file == "x y z\nh \(ed)\n")
        // It is known from now on.
        #expect(try scene.verify(key(ed)) == [])
        #expect(scene.lines == [added])
    }

    @Test("A new key is refused by yes")
    func strict() {
        let scene = Scene()
        scene.options.strictHostKeyChecking = .yes
        #expect(scene.refusal(key(ed))?.words == failed)
        #expect(
            scene.lines == [
                "No ED25519 host key is known for h and you have requested strict checking."
            ]
        )
        #expect(scene.file == "")
    }

    @Test(
        "The user's answer decides about a new key",
        arguments: [
            (["yes"], true, 1), (["YES"], true, 1), ([" yes \n"], true, 1), ([print], true, 1),
            (["no"], false, 1), ([""], false, 1), ([], false, 1), (["y", "yes"], true, 2),
            (["what", "SHA256:x", "no"], false, 3), (["y"], false, 2),
        ]
    )
    func asked(answers: [String], isAccepted: Bool, count: Int) {
        let scene = Scene()
        scene.answers = answers
        #expect((scene.refusal(key(ed)) == nil) == isAccepted)
        #expect(scene.prompts.count == count)
        #expect(scene.prompts.first == question)
        #expect(
            scene.prompts.dropFirst().allSatisfy {
                $0 == "Please type 'yes', 'no' or the fingerprint: "
            }
        )
        #expect(scene.lines == (isAccepted ? [added] : []))
    }

    @Test("Nobody is asked in batch mode")
    func batch() {
        let scene = Scene()
        scene.options.batchMode = true
        scene.answers = ["yes"]
        #expect(scene.refusal(key(ed)) == .declined(host: "h"))
        #expect(scene.prompts.isEmpty)
    }

    @Test("The question tells the port, other names, the picture and DNS")
    func longQuestion() {
        let names = (1...9).map { "n\($0) \(ed)\n" }.joined()
        let scene = Scene(names)
        scene.options.port = 2222
        scene.options.visualHostKey = true
        scene.matchesDNS = false
        _ = scene.refusal(key(ed))
        let lines = scene.questions[0].split(separator: "\n").map(String.init)
        #expect(
            lines[0] == "The authenticity of host '[h]:2222 ([192.0.2.1]:2222)' "
                + "can't be established."
        )
        #expect(lines[2...12].joined(separator: "\n") == key(ed).randomart())
        #expect(
            Array(lines[13...]) == [
                "No matching host key fingerprint found in DNS.",
                "This host key is known by the following other names/addresses:",
            ] + (1...8).map { "    F/user:\($0): n\($0)" } + [
                "    (1 additional names omitted)",
                "Are you sure you want to continue connecting (yes/no/[fingerprint])? ",
            ]
        )
    }

    @Test("Behind a proxy there is no address")
    func proxy() {
        let scene = Scene()
        scene.address = nil
        scene.options.checkHostIP = true
        scene.answers = ["yes"]
        #expect(scene.refusal(key(ed)) == nil)
        #expect(
            scene.questions[0].hasPrefix(
                "The authenticity of host 'h (<no hostip for proxy command>)' can't be established."
            )
        )
        #expect(scene.file == "h \(ed)\n")
    }

    @Test("A changed key stops", arguments: [StrictHostKeyChecking.yes, .ask, .acceptNew])
    func changed(strictness: StrictHostKeyChecking) {
        let scene = Scene("h \(other)\n")
        scene.options.strictHostKeyChecking = strictness
        scene.answers = ["yes"]
        let refusal = scene.refusal(key(ed))
        #expect(refusal == .changedKey(host: "h", path: "\(scene.folder)/user", line: 1))
        #expect(refusal?.words == failed)
        #expect(scene.lines == changedBlock + [changedAndStrict])
        #expect(scene.prompts.isEmpty)
        #expect(scene.file == "h \(other)\n")
    }

    @Test("With StrictHostKeyChecking=no a changed key forbids what could be misused")
    func changedAndLoose() throws {
        let scene = Scene("h \(other)\n")
        scene.options.strictHostKeyChecking = .no
        scene.options.forwardAgent = true
        scene.options.updateHostKeys = .no
        #expect(try scene.verify(key(ed)) == [.password, .keyboardInteractive, .agent])
        #expect(
            scene.lines == changedBlock + [
                "Password authentication is disabled to avoid man-in-the-middle attacks.",
                "Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.",
                "Agent forwarding is disabled to avoid man-in-the-middle attacks.",
            ]
        )
        scene.options.exitOnForwardFailure = true
        #expect(
            scene.refusal(key(ed))?.words == [
                "Error: forwarding disabled due to host key check failure"
            ]
        )
    }

    @Test("A revoked key stops, but for StrictHostKeyChecking=no")
    func revoked() throws {
        let block = [
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
            "@       WARNING: REVOKED HOST KEY DETECTED!               @",
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
            "The ED25519 host key for h is marked as revoked.",
            "This could mean that a stolen key is being used to",
            "impersonate this host.",
        ]
        let scene = Scene("h \(ed)\n", system: "@revoked * \(ed)\n")
        #expect(scene.refusal(key(ed)) == .revokedKey(host: "h"))
        #expect(
            scene.lines == block + [
                "ED25519 host key for h was revoked and you have requested strict checking."
            ]
        )
        let loose = Scene("@revoked * \(ed)\n")
        loose.options.strictHostKeyChecking = .no
        #expect(try loose.verify(key(ed)) == [.password, .keyboardInteractive, .keyUpdates])
        #expect(Array(loose.lines.prefix(6)) == block)
    }

    @Test(
        "A host on another port is known by its name alone, if its key is the same",
        arguments: [
            ("h \(ed)\n", true, ""), ("h \(other)\n", false, ""), ("", false, ""),
            ("@revoked h \(ed)\n", false, "REVOKED"),
        ]
    )
    func port(text: String, isKnown: Bool, said: String) {
        let scene = Scene(text)
        scene.options.port = 2222
        #expect((scene.refusal(key(ed)) == nil) == isKnown)
        #expect(scene.prompts.count == (isKnown ? 0 : 1))
        #expect(said.isEmpty ? scene.lines.isEmpty : scene.lines[1].contains(said))
        #expect(scene.file == text)
    }

    @Test("HostKeyAlias is the name, whatever the port")
    func alias() {
        let scene = Scene("web \(ed)\n")
        scene.options.port = 2222
        scene.options.hostKeyAlias = "web"
        #expect(scene.refusal(key(ed)) == nil)
        #expect(scene.prompts.isEmpty)
    }

    @Test(
        "Loopback passes unseen with NoHostAuthenticationForLocalhost",
        arguments: [
            ("127.0.0.1", true), ("::1", true), ("127.1.2.3", true), ("192.0.2.1", false),
            ("::ffff:127.0.0.1", false),
        ]
    )
    func loopback(address: String, isForced: Bool) {
        let scene = Scene("h \(other)\n")
        scene.address = address
        scene.options.noHostAuthenticationForLocalhost = true
        #expect((scene.refusal(key(ed)) == nil) == isForced)
        scene.options.hostKeyAlias = "h"
        #expect(scene.refusal(key(ed)) != nil)
    }

    @Test("CheckHostIP compares and learns addresses")
    func address() throws {
        let scene = Scene("h \(ed)\n")
        scene.options.checkHostIP = true
        #expect(try scene.verify(key(ed)) == [])
        #expect(
            scene.lines == [
                "Warning: Permanently added the ED25519 host key for IP address '192.0.2.1' to the "
                    + "list of known hosts."
            ]
        )
        #expect(scene.file == "h \(ed)\n192.0.2.1 \(ed)\n")

        let new = Scene()
        new.options.checkHostIP = true
        new.options.strictHostKeyChecking = .acceptNew
        #expect(try new.verify(key(ed)) == [])
        #expect(new.file == "h,192.0.2.1 \(ed)\n")
        #expect(
            new.lines == [
                "Warning: Permanently added 'h,192.0.2.1' (ED25519) to the list of known hosts."
            ]
        )
    }

    @Test(
        "An address with another key is a question",
        arguments: [
            (StrictHostKeyChecking.ask, ["yes"], true, 1), (.ask, ["no"], false, 1),
            (.no, [], true, 0), (.yes, [], false, 0),
        ]
    )
    func differs(
        strictness: StrictHostKeyChecking,
        answers: [String],
        isAccepted: Bool,
        prompts: Int
    ) {
        let scene = Scene("h \(ed)\n192.0.2.1 \(other)\n")
        scene.options.checkHostIP = true
        scene.options.strictHostKeyChecking = strictness
        scene.answers = answers
        #expect((scene.refusal(key(ed)) == nil) == isAccepted)
        let words = """
            Warning: the ED25519 host key for 'h' differs from the key for the IP address '192.0.2.1'
            Offending key for IP in F/user:2
            Matching host key in F/user:1
            """
        #expect(
            scene.questions
                == (prompts == 0
                    ? []
                    : [words + "\nAre you sure you want to continue connecting (yes/no)? "])
        )
        let exit = "Exiting, you have requested strict checking."
        #expect(scene.lines == (prompts == 1 ? [] : isAccepted ? [words] : [words, exit]))
    }

    @Test("DNS spoofing is told when the address is not as the name")
    func spoofing() {
        let scene = Scene("h \(other)\n192.0.2.1 \(rsa)\n")
        scene.options.checkHostIP = true
        _ = scene.refusal(key(ed))
        #expect(
            Array(scene.lines.prefix(11)) == [
                "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
                "@       WARNING: POSSIBLE DNS SPOOFING DETECTED!          @",
                "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
                "The ED25519 host key for h has changed,",
                "and the key for the corresponding IP address 192.0.2.1",
                "has a different value. This could either mean that",
                "DNS SPOOFING is happening or the IP address for the host",
                "and its host key have changed at the same time.",
                "Offending key for IP in F/user:2",
                "  remove with:",
                "  ssh-keygen -f \"F/user\" -R \"192.0.2.1\"",
            ]
        )
        #expect(Array(scene.lines.dropFirst(11)) == changedBlock + [changedAndStrict])
    }

    @Test("A file that cannot be written is said so and stays as it was")
    func unwritable() throws {
        let scene = Scene()
        scene.options.userKnownHostsFile = ["/dev/full"]
        scene.options.strictHostKeyChecking = .acceptNew
        #expect(try scene.verify(key(ed)) == [])
        #expect(
            scene.lines == [
                "Failed to add the host to the list of known hosts (/dev/full)."
            ]
        )
    }

    @Test("Without a file, with an odd name or by command, nothing is written")
    func readOnly() throws {
        let none = Scene()
        none.options.userKnownHostsFile = ["none"]
        none.options.strictHostKeyChecking = .no
        #expect(none.refusal(key(ed)) == .unknownKey(host: "h"))

        let odd = Scene()
        odd.options = Options(host: "h|x")
        odd.options.userKnownHostsFile = ["\(odd.folder)/user"]
        odd.answers = ["yes"]
        #expect(odd.refusal(key(ed)) == .unknownKey(host: "h|x"))
        #expect(odd.prompts.isEmpty && odd.file.isEmpty)

        let command = Scene()
        var calls: [String] = []
        command.command = { invocation, name in
            calls.append("\(invocation) \(name)")
            return Array("h \(ed)\n".utf8)
        }
        command.options.checkHostIP = true
        #expect(try command.verify(key(ed)) == [])
        #expect(calls == ["HOSTNAME h", "ADDRESS 192.0.2.1"])
        #expect(
            command.lines == [
                "ED25519 host key for IP address '192.0.2.1' not in list of known hosts."
            ]
        )
        command.command = { _, _ throws(HostKeyRefusal) in throw .commandFailed("how") }
        #expect(command.refusal(key(ed))?.words == ["how", "KnownHostsCommand failed"])
    }

    @Test(
        "A key on the list of RevokedHostKeys, or a list that cannot be read, stops",
        arguments: [
            ("\(other)\n", nil),
            (
                "# comment\n\n\(other)\n  \(ed) comment\n",
                "Host key ED25519 \(print) revoked by file F/r"
            ),
            (
                "nonsense\n",
                "Error checking host key ED25519 \(print) in revoked keys file F/r: invalid format"
            ),
            (
                nil,
                "Error checking host key ED25519 \(print) in revoked keys file F/r: "
                    + "No such file or directory"
            ),
        ] as [(String?, String?)]
    )
    func revokedList(list: String?, words: String?) {
        let scene = Scene("h \(ed)\n")
        scene.options.revokedHostKeys = "\(scene.folder)/r"
        scene.options.strictHostKeyChecking = .no
        if let list {
            _ = FileManager.default.createFile(
                atPath: "\(scene.folder)/r",
                contents: Data(list.utf8)
            )
        }
        let refusal = scene.refusal(key(ed))
        #expect(refusal == (words == nil ? nil : .revokedKey(host: "h")))
        #expect(scene.lines == [words].compactMap { $0 })
    }

    @Test("VisualHostKey shows the picture of a known key")
    func picture() throws {
        let scene = Scene("h \(ed)\n")
        scene.options.visualHostKey = true
        #expect(try scene.verify(key(ed)) == [])
        #expect(scene.lines == ["Host key fingerprint is \(print)\n\(key(ed).randomart())"])
    }
}

/// What AWS says of a key that nothing on this machine vouches for.
struct HostKeyProofTests {
    @Test(
        "An unknown key that is proven is taken without a question, and who vouches is said",
        arguments: [
            (PinnedHostKeys.Witness.console, "the instance's console"),
            (.ssm, "the instance itself, by Systems Manager"),
        ]
    )
    func proven(witness: PinnedHostKeys.Witness, name: String) throws {
        for text in ["", "h \(other)\n"] {
            let scene = Scene(text)
            scene.options.strictHostKeyChecking = .yes
            scene.proof = .proven(by: witness)
            #expect(try scene.verify(key(ed)).isEmpty)
            #expect(scene.lines == ["ec2sh: the ED25519 host key of h is proven by \(name)"])
            #expect(scene.questions.isEmpty)
        }
    }

    @Test("A key that AWS speaks against is refused, whatever the options are")
    func contradicted() {
        for text in ["", "h \(other)\n"] {
            let scene = Scene(text)
            scene.options.strictHostKeyChecking = .no
            scene.proof = .contradicted
            #expect(scene.refusal(key(ed)) == .disproven(host: "h"))
            #expect(scene.file == text)
        }
    }

    @Test("Where nobody vouches, everything is as with ssh")
    func silent() {
        let scene = Scene("h \(other)\n")
        scene.options.strictHostKeyChecking = .yes
        #expect(scene.refusal(key(ed))?.words == failed)
        #expect(scene.lines.prefix(3) == changedBlock.prefix(3))
    }

    @Test("A key that is revoked is not taken, whoever vouches for it")
    func revoked() throws {
        let scene = Scene("@revoked h \(ed)\n")
        scene.proof = .proven(by: .ssm)
        #expect(scene.refusal(key(ed)) == .revokedKey(host: "h"))
    }
}
