internal import Crypto

/// A key that the agent wants the stream encrypted with (`KMSEncryption`): somebody who may ask KMS
/// has to make it.
public struct DataKeyRequest: Equatable, Sendable {
    /// The key of KMS's that seals it.
    public let keyID: String
    /// What the agent wants to see again in the encryption context; nil for agents before 3.3.
    public let challenge: String?

    /// What KMS seals the key with besides (`EncryptionContext`): it opens for this session alone.
    /// - Parameters:
    ///   - session: the session's id.
    ///   - target: the instance's id.
    /// - Returns: names and values.
    public func context(session: String, target: String) -> [(name: String, value: String)] {
        [("aws:ssm:SessionId", session), ("aws:ssm:TargetId", target)]
            + (challenge.map { [("aws:ssm:RandomChallenge", $0)] } ?? [])
    }
}

/// A key from KMS (`GenerateDataKey` with ``DataKey/length`` bytes).
public struct DataKey: Sendable {
    /// Bytes of the key: one half for each direction.
    public static let length = 64

    /// As KMS has sealed it, for the agent (`CiphertextBlob`).
    let sealed: [UInt8]
    /// Opens what the agent sends.
    let opening: SymmetricKey
    /// Seals what goes to the agent.
    let sealing: SymmetricKey

    /// Takes a key; one of another length is none.
    /// - Parameters:
    ///   - plain: ``length`` bytes.
    ///   - sealed: the same as KMS has sealed it.
    public init?(plain: [UInt8], sealed: [UInt8]) {
        guard plain.count == DataKey.length else { return nil }
        self.sealed = sealed
        opening = SymmetricKey(data: plain.prefix(DataKey.length / 2))
        sealing = SymmetricKey(data: plain.suffix(DataKey.length / 2))
    }

    var digest: [UInt8] { Array(SHA256.hash(data: sealed)) }

    /// AES-256-GCM: nonce, ciphertext, tag.
    func seal(_ bytes: [UInt8]) -> [UInt8]? {
        (try? AES.GCM.seal(bytes, using: sealing))?.combined.map(Array.init)
    }

    /// - Returns: nil for what was not sealed with the agent's half.
    func open(_ bytes: [UInt8]) -> [UInt8]? {
        guard let box = try? AES.GCM.SealedBox(combined: bytes) else { return nil }
        return (try? AES.GCM.open(box, using: opening)).map(Array.init)
    }
}

/// Why there is no key.
public struct DataKeyRefusal: Error, Equatable {
    /// One line.
    public let reason: String

    /// Says why.
    /// - Parameter reason: one line.
    public init(_ reason: String) { self.reason = reason }
}
