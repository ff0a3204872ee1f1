internal import JSONText

extension ServiceCaller {
    /// Reads what an instance has written on its console.
    ///
    /// AWS keeps the newest 64 KB and takes them down when the instance's state changes, some
    /// minutes late.
    ///
    /// EC2 API: `GetConsoleOutput`. IAM: `ec2:GetConsoleOutput`.
    /// - Parameters:
    ///   - id: `i-…`.
    ///   - isLatest: reads the serial console as it is now; only Nitro instances have that, others
    ///     fail with `UnsupportedOperation`.
    /// - Returns: empty when there is nothing yet.
    /// - Throws: ``ServiceError``.
    public func consoleOutput(
        of id: String,
        isLatest: Bool = false
    ) async throws(ServiceError) -> [UInt8] {
        let answer = try await query(
            .ec2,
            action: "GetConsoleOutput",
            version: ec2Version,
            [.init("InstanceId", id)] + (isLatest ? [.init("Latest", "true")] : [])
        )
        guard let output = answer.text("output") else { return [] }
        guard let bytes = base64Decoded(output.utf8) else {
            throw ServiceError(.malformed, "the console output of \(id) is not base64")
        }
        return bytes
    }
}
