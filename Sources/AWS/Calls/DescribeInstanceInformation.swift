internal import JSONText

/// What Systems Manager knows of the agent on an instance.
public struct AgentInformation: Sendable, Equatable {
    /// `Online`, `ConnectionLost` or `Inactive`.
    public var ping: String?
    /// Such as `3.3.2299.0`.
    public var version: String?
    /// `Linux`, `Windows` or `MacOS`.
    public var platform: String?
}

extension ServiceCaller {
    /// Tells whether the agent of Systems Manager on an instance can be reached.
    ///
    /// SSM API: `DescribeInstanceInformation`. IAM: `ssm:DescribeInstanceInformation`.
    /// - Parameter id: `i-…` or `mi-…`.
    /// - Returns: nil when the agent has never reported.
    /// - Throws: ``ServiceError``.
    public func agentInformation(of id: String) async throws(ServiceError) -> AgentInformation? {
        let filter: JSON = .object([
            "Key": "InstanceIds", "Values": JSON(.array([JSON(.string(id))])),
        ])
        let answer = try await json(
            .ssm,
            target: "AmazonSSM.DescribeInstanceInformation",
            .object(["Filters": JSON(.array([filter]))])
        )
        let list = answer["InstanceInformationList"]?.array ?? []
        return list.first { $0["InstanceId"]?.string == id }.map { found in
            AgentInformation(
                ping: found["PingStatus"]?.string,
                version: found["AgentVersion"]?.string,
                platform: found["PlatformType"]?.string
            )
        }
    }
}
