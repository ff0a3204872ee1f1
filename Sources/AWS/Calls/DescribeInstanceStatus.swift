/// How an instance's status checks stand.
public struct InstanceStatus: Sendable, Equatable {
    /// Whether it runs.
    public var state: InstanceState
    /// The check of the machine below: `ok`, `impaired`, `initializing`, `insufficient-data` or
    /// `not-applicable`.
    public var system: String?
    /// The check of the instance's own network, with the same words.
    public var instance: String?
}

extension ServiceCaller {
    /// Tells how the status checks of an instance stand.
    ///
    /// EC2 API: `DescribeInstanceStatus`. IAM: `ec2:DescribeInstanceStatus`.
    /// - Parameter id: `i-…`.
    /// - Returns: nil when AWS tells nothing of it.
    /// - Throws: ``ServiceError``.
    public func instanceStatus(of id: String) async throws(ServiceError) -> InstanceStatus? {
        let answer = try await query(
            .ec2,
            action: "DescribeInstanceStatus",
            version: ec2Version,
            [.init("InstanceId.1", id), .init("IncludeAllInstances", "true")]
        )
        let found = answer.items("instanceStatusSet").first { $0.text("instanceId") == id }
        return found.map { element in
            InstanceStatus(
                state: InstanceState(rawValue: element["instanceState"]?.text("name") ?? ""),
                system: element["systemStatus"]?.text("status"),
                instance: element["instanceStatus"]?.text("status")
            )
        }
    }
}
