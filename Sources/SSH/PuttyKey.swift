internal import Posix

/// A private key as PuTTY saves it, version 2 or 3 (PuTTY's manual, appendix C).
///
///     PuTTY-User-Key-File-3: ssh-ed25519
///     Encryption: aes256-cbc
///     Comment: …
///     Public-Lines: 2
///     …base64 of the public key in SSH's encoding…
///     Key-Derivation: Argon2id          ┐
///     Argon2-Memory: 8192               │
///     Argon2-Passes: 13                 │ version 3 with a passphrase
///     Argon2-Parallelism: 1             │
///     Argon2-Salt: …                    ┘
///     Private-Lines: 1
///     …base64 of the private fields, encrypted…
///     Private-MAC: …
struct PuttyKey: Sendable, Equatable {
    /// How a passphrase becomes a key in version 3.
    struct Derivation: Sendable, Equatable {
        let variant: Argon2.Variant
        let cost: Argon2.Cost
        let salt: [UInt8]
    }

    let version: Int
    /// Such as `ssh-rsa`.
    let algorithm: String
    /// `none` or `aes256-cbc`.
    let encryption: String
    let comment: [UInt8]
    let publicKey: [UInt8]
    let derivation: Derivation?
    let privateFields: [UInt8]
    let code: [UInt8]

    var isEncrypted: Bool { encryption != "none" }

    /// Finds the first line of such a key.
    /// - Returns: where it begins; nil when the text holds none.
    static func start(in text: [UInt8]) -> Int? {
        text.firstRange(of: Array("PuTTY-User-Key-File-".utf8))?.lowerBound
    }

    /// Reads the lines, in whatever way they end.
    init(_ text: ArraySlice<UInt8>) throws(KeyFileFault.Problem) {
        var lines = PuttyLines(text)
        guard let (first, algorithm) = lines.header(startingWith: "PuTTY-User-Key-File-"),
            let version = Int(first)
        else { throw .damaged }
        guard version == 2 || version == 3 else { throw .puttyVersion(version) }
        guard HostKeyKind(algorithm: algorithm).isInPutty else { throw .puttyKind(algorithm) }
        guard let encryption = lines.text("Encryption"),
            encryption == "none" || encryption == "aes256-cbc",
            let comment = lines.bytes("Comment"),
            let publicKey = lines.block("Public-Lines")
        else { throw .damaged }
        let isDerived = version == 3 && encryption != "none"
        derivation = isDerived ? try PuttyKey.derivation(&lines) : nil
        guard let privateFields = lines.block("Private-Lines"),
            let code = lines.hexadecimal("Private-MAC"),
            encryption == "none" || privateFields.count % 16 == 0
        else { throw .damaged }
        self.version = version
        self.algorithm = algorithm
        self.encryption = encryption
        self.comment = comment
        self.publicKey = publicKey
        self.privateFields = privateFields
        self.code = code
    }

    private static func derivation(
        _ lines: inout PuttyLines
    ) throws(KeyFileFault.Problem) -> Derivation {
        guard let variant = lines.text("Key-Derivation").flatMap(Argon2.Variant.init(rawValue:)),
            let memory = lines.text("Argon2-Memory").flatMap({ UInt32($0) }),
            let passes = lines.text("Argon2-Passes").flatMap({ UInt32($0) }),
            let parallelism = lines.text("Argon2-Parallelism").flatMap({ UInt32($0) }),
            let salt = lines.hexadecimal("Argon2-Salt"),
            // A file must not take all of the machine: PuTTY's own are of 8 MiB.
            memory <= mostMemory, (1...mostPasses).contains(passes), parallelism <= mostLanes
        else { throw .damaged }
        let cost = Argon2.Cost(memory: memory, passes: passes, parallelism: parallelism)
        return Derivation(variant: variant, cost: cost, salt: salt)
    }

    /// 1 GiB, in KiB.
    private static let mostMemory: UInt32 = 1 << 20
    private static let mostPasses: UInt32 = 100_000
    private static let mostLanes: UInt32 = 64
}

extension HostKeyKind {
    /// The kinds that are converted.
    fileprivate var isInPutty: Bool {
        switch self {
        case .rsa, .ecdsa, .ed25519: true
        default: false
        }
    }
}

/// The lines of a key of PuTTY's, taken one by one.
private struct PuttyLines {
    private var rest: ArraySlice<ArraySlice<UInt8>>

    init(_ text: ArraySlice<UInt8>) {
        rest = text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d })[...]
    }

    /// Takes a line `PREFIXvalue: text`.
    mutating func header(startingWith prefix: String) -> (String, String)? {
        guard let line = rest.popFirst(), line.starts(with: prefix.utf8),
            let colon = line.firstRange(of: Array(": ".utf8))
        else { return nil }
        let name = line[..<colon.lowerBound].dropFirst(prefix.utf8.count)
        let value = line[colon.upperBound...].prefix { $0 != 0x20 && $0 != 0x09 }
        return (String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self))
    }

    /// Takes a line `name: value`.
    mutating func bytes(_ name: String) -> [UInt8]? {
        let start = Array("\(name): ".utf8)
        guard let line = rest.first else { return nil }
        // An editor may have taken the blank behind an empty comment.
        if line.elementsEqual("\(name):".utf8) {
            rest = rest.dropFirst()
            return []
        }
        guard line.starts(with: start) else { return nil }
        rest = rest.dropFirst()
        return Array(line.dropFirst(start.count))
    }

    mutating func text(_ name: String) -> String? {
        bytes(name).map { bytes in
            String(decoding: bytes.filter { $0 != 0x20 && $0 != 0x09 }, as: UTF8.self)
        }
    }

    /// Takes a line with a count, and so many lines of base64.
    mutating func block(_ name: String) -> [UInt8]? {
        guard let count = text(name).flatMap({ Int($0) }), (0...rest.count).contains(count) else {
            return nil
        }
        let lines = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Base64.decode(lines.joined())
    }

    mutating func hexadecimal(_ name: String) -> [UInt8]? {
        guard let digits = text(name)?.utf8, digits.count % 2 == 0 else { return nil }
        var bytes: [UInt8] = []
        var rest = digits[...]
        while !rest.isEmpty {
            guard let byte = UInt8(String(rest.prefix(2)) ?? "", radix: 16) else { return nil }
            bytes.append(byte)
            rest = rest.dropFirst(2)
        }
        return bytes
    }
}
