internal import JSONText

extension ServiceCaller {
    /// Lets a key in to an instance for 60 seconds.
    ///
    /// That AWS has taken it does not say that the instance asks for it, or has the user.
    ///
    /// Instance Connect API: `SendSSHPublicKey`. IAM: `ec2-instance-connect:SendSSHPublicKey`.
    /// - Parameters:
    ///   - publicKey: a line as in `authorized_keys`.
    ///   - id: `i-…`.
    ///   - user: the user on the instance.
    /// - Throws: ``ServiceError``.
    public func sendSSHPublicKey(
        _ publicKey: String,
        to id: String,
        user: String
    ) async throws(ServiceError) {
        let answer = try await json(
            .instanceConnect,
            target: "AWSEC2InstanceConnectService.SendSSHPublicKey",
            .object([
                "InstanceId": JSON(.string(id)), "InstanceOSUser": JSON(.string(user)),
                "SSHPublicKey": JSON(.string(publicKey)),
            ])
        )
        guard answer["Success"]?.bool == true else {
            throw ServiceError(.service, "EC2 Instance Connect has not taken the key for \(id)")
        }
    }
}
