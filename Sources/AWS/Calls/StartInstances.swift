extension ServiceCaller {
    /// Starts an instance; AWS answers before it is done.
    ///
    /// EC2 API: `StartInstances`. IAM: `ec2:StartInstances`.
    /// - Parameter id: `i-…`.
    /// - Throws: ``ServiceError``.
    public func startInstance(_ id: String) async throws(ServiceError) {
        _ = try await query(
            .ec2,
            action: "StartInstances",
            version: ec2Version,
            [.init("InstanceId.1", id)]
        )
    }
}
