import AWS
import Foundation
import TestSupport
import Testing

@testable import EC2

/// Runs a program that keys and their fingerprints come from.
private func run(_ arguments: String..., input: Data? = nil) throws -> Data {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = arguments
    let (output, standardInput) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = standardInput
    try process.run()
    if let input { try standardInput.fileHandleForWriting.write(contentsOf: input) }
    try standardInput.fileHandleForWriting.close()
    let data = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(arguments)")
    return data
}

private final class KeyFiles {
    let path = NSTemporaryDirectory() + "ec2sh-keys-\(UUID().uuidString)"

    init() throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Makes a key and gives its public half in SSH's encoding.
    func make(_ name: String, _ arguments: String...) throws -> [UInt8] {
        let file = "\(path)/\(name)"
        let options = arguments.joined(separator: " ")
        _ = try run("sh", "-c", "ssh-keygen -q -N '' \(options) -f '\(file)'")
        let words = try String(contentsOfFile: file + ".pub", encoding: .utf8).split(separator: " ")
        return Array(try #require(Data(base64Encoded: String(words[1]))))
    }

    /// What openssl says of a key in DER: the last word of its answer.
    func hash(_ command: String) throws -> String {
        let text = String(
            decoding: try run("sh", "-c", "cd '\(path)' && \(command)"),
            as: UTF8.self
        )
        return try #require(
            text.split(whereSeparator: { $0.isWhitespace || $0 == "=" }).last.map(String.init)
        )
    }
}

struct KeyPairTests {
    @Test("An RSA key that AWS has made is known by SHA-1 of its PKCS#8 form")
    func made() throws {
        let files = try KeyFiles()
        let blob = try files.make("k", "-t rsa -b 2048 -m PEM")
        let text = try files.hash(
            "openssl pkcs8 -in k -inform PEM -outform DER -topk8 -nocrypt | openssl sha1 -c"
        )
        let fingerprint = try #require(KeyPairFingerprint(text))
        let der = try run("sh", "-c", "grep -v -- ----- '\(files.path)/k' | openssl base64 -d")
        let key = KeyMaterial(blob: blob, rsaPrivateKey: Array(der))
        #expect(fingerprint.matches(key) == true)
        let whole = try run(
            "openssl",
            "pkcs8",
            "-in",
            "\(files.path)/k",
            "-outform",
            "DER",
            "-topk8",
            "-nocrypt"
        )
        #expect(fingerprint.matches(KeyMaterial(blob: nil, privateInfo: Array(whole))) == true)
        #expect(fingerprint.matches(KeyMaterial(blob: blob)) == nil)
        #expect(fingerprint.matches(KeyMaterial(blob: blob, privateInfo: [1])) == false)
    }

    @Test(
        "An RSA key that was imported is known by MD5 of its public half",
        arguments: [2048, 3072]
    )
    func imported(bits: Int) throws {
        let files = try KeyFiles()
        let blob = try files.make("k", "-t rsa -b \(bits) -m PEM")
        let text = try files.hash("openssl rsa -in k -pubout -outform DER | openssl md5 -c")
        let fingerprint = try #require(KeyPairFingerprint(text))
        #expect(fingerprint.matches(KeyMaterial(blob: blob)) == true)
        #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.hostRSA.blob)) == false)
        #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.hostEd25519.blob)) == false)
    }

    @Test("An Ed25519 key is known as OpenSSH knows it, with padding or without")
    func ed25519() throws {
        let vector = KeyVector.hostEd25519
        let digits = vector.sha256.dropFirst("SHA256:".count)
        for text in [vector.sha256, String(digits), "\(digits)="] {
            let fingerprint = try #require(KeyPairFingerprint(text))
            #expect(fingerprint.matches(KeyMaterial(blob: vector.blob)) == true)
            #expect(fingerprint.matches(KeyMaterial(blob: KeyVector.otherEd25519.blob)) == false)
        }
    }

    @Test(
        "What is no fingerprint is none",
        arguments: [
            "", ":", "aa", "zz:zz", "aa:bb:cc", String(repeating: "a", count: 43) + "!", "é",
        ]
    )
    func spoilt(text: String) { #expect(KeyPairFingerprint(text) == nil) }

    @Test("The public key itself decides where AWS has kept it")
    func publicKey() {
        let vector = KeyVector.hostRSA
        let proof = KeyPairProof(fingerprint: nil, publicKey: vector.line)
        #expect(proof.matches(KeyMaterial(blob: vector.blob)) == true)
        #expect(proof.matches(KeyMaterial(blob: KeyVector.hostECDSA.blob)) == false)
        #expect(proof.matches(KeyMaterial(blob: nil)) == nil)
        #expect(
            KeyPairProof(fingerprint: "x", publicKey: "ssh-rsa AAAA").matches(
                KeyMaterial(blob: vector.blob)
            ) == nil
        )
    }

    @Test("Files are looked for by the pair's name first, then by the names that all have")
    func candidates() {
        let files = KeyCandidates.files(
            keyName: "My Key",
            in: [
                ("/s", ["config", "id_rsa", "id_rsa.pub", "known_hosts", "my key", "other.pem"]),
                (
                    "/d",
                    [
                        "My Key (1).pem", "My Key.pem", "My Key.pem.zip", "MY KEY.PEM", "a.PPK",
                        "notes.txt",
                    ]
                ),
            ]
        )
        let namesakes = ["/d/My Key.pem", "/s/my key", "/d/MY KEY.PEM", "/d/My Key (1).pem"]
        let others = ["/s/id_rsa", "/s/other.pem", "/d/a.PPK"]
        #expect(files.map(\.path) == namesakes + others)
        #expect(files.filter(\.isNamesake).map(\.path) == namesakes)
        #expect(
            KeyCandidates.files(keyName: "web.pem", in: [("/d", ["web.pem", "web.pem.pem"])]).count
                == 2
        )
        #expect(KeyCandidates.files(keyName: "a/b", in: [("/d", ["b", "a"])]).isEmpty)
    }
}

/// Which of several keys is the pair's.
struct KeyPairMatchTests {
    private static let right = KeyVector.hostEd25519
    private static let wrong = KeyVector.otherEd25519
    /// AWS tells its fingerprint, so that a key without a public half cannot be judged.
    private static let pair = KeyPairProof(fingerprint: right.sha256, publicKey: nil)
    /// The fingerprint of a key of RSA that AWS has made.
    private static let made = KeyPairProof(
        fingerprint: [String](repeating: "aa", count: 20).joined(separator: ":"),
        publicKey: nil
    )
    /// What the console says of the key.
    private static let authorized = ConsoleAccounts(output: Array(consoleTable.utf8)).proofs
    private static let consoleTable = """
        ci-info: +++Authorized keys from /home/u/.ssh/authorized_keys for user u+++
        ci-info: | ssh-ed25519 | \(hexadecimal(right.sha256)) | - | my-key |

        """

    private static func hexadecimal(_ fingerprint: String) -> String {
        let digits = fingerprint.dropFirst("SHA256:".count) + "="
        let bytes = Data(base64Encoded: String(digits)) ?? Data()
        return bytes.map { String(format: "%02x", $0) }.joined(separator: ":")
    }

    /// `r` has the right key, `w` another one, `?` shows nothing; a capital is named like the pair;
    /// `.` behind it says that the login offers it anyway.
    private static func keys(_ text: String) -> [HeldKey] {
        text.split(separator: " ").map { word in
            let letter = word.first ?? "?"
            let blob = ["r": right.blob, "w": wrong.blob][letter.lowercased()]
            return HeldKey(
                KeyMaterial(blob: blob),
                isNamesake: letter.isUppercase || word.hasPrefix("?"),
                isOffered: word.hasSuffix(".")
            )
        }
    }

    @Test(
        "What is proven is taken; what cannot be told is tried for its name",
        arguments: [
            ("", nil, [], []), ("w R", 1, [], []), ("W r", 1, [], [0]), ("r. W", 0, [], [1]),
            ("w w", nil, [], []), ("W ? w", nil, [1], [0]), ("? ? ?", nil, [0, 1], []),
            ("?. w.", nil, [], []), ("w. ? r", 2, [], []),
        ] as [(String, Int?, [Int], [Int])]
    )
    func choice(text: String, proven: Int?, likely: [Int], impostors: [Int]) {
        let match = KeyPairMatch(KeyPairMatchTests.keys(text), pair: KeyPairMatchTests.pair)
        #expect(match.proven == proven)
        #expect(match.likely == likely)
        #expect(match.impostors == impostors)
    }

    @Test("Without any proof the namesakes are tried, and nothing else")
    func noProof() {
        let match = KeyPairMatch(KeyPairMatchTests.keys("w. w R W ? r"), pair: nil)
        #expect(match.proven == nil && match.likely == [2, 3] && match.impostors.isEmpty)
    }

    @Test("What the instance says of its keys proves one, and speaks against none")
    func authorized() {
        let proofs = KeyPairMatchTests.authorized
        #expect(proofs.count == 1)
        let found = KeyPairMatch(KeyPairMatchTests.keys("W r"), pair: nil, authorized: proofs)
        #expect(found.proven == 1 && found.impostors.isEmpty)
        let none = KeyPairMatch(KeyPairMatchTests.keys("W"), pair: nil, authorized: proofs)
        #expect(none.proven == nil && none.likely == [0])
    }

    @Test("A key of another kind than the fingerprint's is another key")
    func otherKind() {
        let match = KeyPairMatch(KeyPairMatchTests.keys("R"), pair: KeyPairMatchTests.made)
        #expect(match.impostors == [0])
        let agent = HeldKey(KeyMaterial(blob: KeyVector.hostRSA.blob), isNamesake: true)
        // An agent shows no private half, of which the fingerprint was made.
        #expect(KeyPairMatch([agent], pair: KeyPairMatchTests.made).likely == [0])
    }
}

struct KnownKeyPairTests {
    private let scope = InventoryScope(profile: "p", region: "eu-west-1")

    private func answer(_ name: String?) -> String {
        let item = name.map {
            """
            <item><keyPairId>key-1</keyPairId><keyName>\($0)</keyName><keyType>ed25519</keyType>
            <keyFingerprint>\(KeyVector.hostEd25519.sha256.dropFirst(7))=</keyFingerprint></item>
            """
        }
        return """
            <DescribeKeyPairsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <keySet>\(item ?? "")</keySet></DescribeKeyPairsResponse>
            """
    }

    private func region(_ cache: TestCache, _ caller: ScriptedCaller) -> Inventory {
        Inventory(
            [.init(caller, scope)],
            cache: InventoryCache(environment: cache.environment, home: nil),
            table: UserTable(),
            clock: { cache.now }
        )
    }

    @Test("A pair is asked for once and kept with the instances, through new lists of them")
    func kept() async throws {
        let cache = TestCache()
        let aws = ScriptedCaller([
            "DescribeInstances": { _ in
                EC2Answer.instances([EC2Answer.instance("i-0123456789abcdef0")])
            },
            "DescribeKeyPairs": { fields in
                #expect(EC2Answer.filter("key-name", in: fields) == ["my-key"])
                return answer("my-key")
            },
        ])
        let target = InstanceTarget("i-0123456789abcdef0")
        let known = try await region(cache, aws).find(target)
        for _ in 0..<2 {
            let pair = try #require(try await region(cache, aws).keyPair(of: known))
            let key = KeyMaterial(blob: KeyVector.hostEd25519.blob)
            #expect(pair.proof?.matches(key) == true && pair.pair?.type == "ed25519")
        }
        #expect(aws.count("DescribeKeyPairs") == 1)
        cache.pass(4000)
        _ = try await region(cache, aws).find(InstanceTarget("10.0.0.7"))
        let kept = try #require(InventoryCache(environment: cache.environment, home: nil))
        #expect(kept.keyPair("my-key", in: scope, now: cache.now)?.pair != nil)
        #expect(kept.keyPair("my", in: scope, now: cache.now) == nil)
        _ = try await region(cache, aws).keyPair(of: known, newerThan: cache.now)
        #expect(aws.count("DescribeKeyPairs") == 2)
        cache.pass(8 * 86_400)
        #expect(kept.keyPair("my-key", in: scope, now: cache.now) == nil)
    }

    @Test("That a pair is gone is known for an hour; without a name nobody is asked")
    func gone() async throws {
        let cache = TestCache()
        let aws = ScriptedCaller(["DescribeKeyPairs": { _ in answer(nil) }])
        var instance = Instance(id: "i-0123456789abcdef0", state: .running)
        var known: KnownInstance {
            KnownInstance(instance, region: "eu-west-1", seen: Timestamp(seconds: 0))
        }
        #expect(try await region(cache, aws).keyPair(of: known) == nil)
        #expect(aws.count("DescribeKeyPairs") == 0)
        instance.keyName = "my-key"
        for (seconds, count) in [(0, 1), (3500, 1), (200, 2)] as [(Int64, Int)] {
            cache.pass(seconds)
            let pair = try await region(cache, aws).keyPair(of: known)
            #expect(pair?.name == "my-key" && pair?.pair == nil && pair?.proof == nil)
            #expect(aws.count("DescribeKeyPairs") == count)
        }
    }
}
