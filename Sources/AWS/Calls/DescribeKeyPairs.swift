/// A key pair as DescribeKeyPairs tells of it.
public struct KeyPair: Sendable, Equatable {
    /// Its name.
    public var name: String
    /// In one of three forms, by the kind of key and who made it.
    public var fingerprint: String?
    /// `rsa` or `ed25519`.
    public var type: String?
    /// A line as in `authorized_keys`; pairs made before 2022 may have none.
    public var publicKey: String?

    /// Describes a key pair.
    /// - Parameters:
    ///   - name: its name.
    ///   - fingerprint: in one of three forms.
    ///   - type: `rsa` or `ed25519`.
    ///   - publicKey: a line as in `authorized_keys`.
    public init(
        name: String,
        fingerprint: String? = nil,
        type: String? = nil,
        publicKey: String? = nil
    ) {
        self.name = name
        self.fingerprint = fingerprint
        self.type = type
        self.publicKey = publicKey
    }
}

extension ServiceCaller {
    /// Tells what AWS knows of a key pair.
    ///
    /// EC2 API: `DescribeKeyPairs`. IAM: `ec2:DescribeKeyPairs`.
    /// - Parameter name: the name of the pair.
    /// - Returns: nil when it was deleted.
    /// - Throws: ``ServiceError``.
    public func describeKeyPair(_ name: String) async throws(ServiceError) -> KeyPair? {
        let filters = InstanceFilter.fields([InstanceFilter("key-name", exactly: name)])
        let answer = try await query(
            .ec2,
            action: "DescribeKeyPairs",
            version: ec2Version,
            filters + [.init("IncludePublicKey", "true")]
        )
        let found = answer.items("keySet").first { $0.text("keyName") == name }
        return found.map { element in
            KeyPair(
                name: name,
                fingerprint: element.text("keyFingerprint"),
                type: element.text("keyType"),
                publicKey: element.text("publicKey")
            )
        }
    }
}
