extension ServiceCaller {
    /// Stops an instance; AWS answers before it is done.
    ///
    /// EC2 API: `StopInstances`. IAM: `ec2:StopInstances`.
    /// - Parameter id: `i-…`.
    /// - Throws: ``ServiceError``.
    public func stopInstance(_ id: String) async throws(ServiceError) {
        _ = try await query(
            .ec2,
            action: "StopInstances",
            version: ec2Version,
            [.init("InstanceId.1", id)]
        )
    }
}
