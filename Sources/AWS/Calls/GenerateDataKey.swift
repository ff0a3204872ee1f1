internal import JSONText

/// A key that KMS has made.
public struct GeneratedDataKey: Sendable {
    /// The key itself.
    public let plain: [UInt8]
    /// The same, sealed by KMS.
    public let sealed: [UInt8]
}

extension ServiceCaller {
    /// Makes a key that others can get from KMS as well, if they may.
    ///
    /// KMS API: `GenerateDataKey`. IAM: `kms:GenerateDataKey` on the key.
    /// - Parameters:
    ///   - keyID: the key of KMS's that seals it: an id, an ARN or an alias.
    ///   - length: its bytes.
    ///   - context: what has to be named to open it (`EncryptionContext`).
    /// - Returns: the key.
    /// - Throws: ``ServiceError``.
    public func generateDataKey(
        with keyID: String,
        length: Int,
        context: [(name: String, value: String)]
    ) async throws(ServiceError) -> GeneratedDataKey {
        let members = context.map { (name: $0.name, value: JSON(.string($0.value))) }
        let answer = try await json(
            .kms,
            target: "TrentService.GenerateDataKey",
            .object([
                "KeyId": JSON(.string(keyID)), "NumberOfBytes": JSON(.number(Double(length))),
                "EncryptionContext": JSON(.object(members)),
            ])
        )
        guard let plain = answer["Plaintext"]?.string.flatMap({ base64Decoded($0.utf8) }),
            let sealed = answer["CiphertextBlob"]?.string.flatMap({ base64Decoded($0.utf8) }),
            plain.count == length
        else { throw ServiceError(.malformed, "kms:GenerateDataKey: the answer has no such key") }
        return GeneratedDataKey(plain: plain, sealed: sealed)
    }
}
