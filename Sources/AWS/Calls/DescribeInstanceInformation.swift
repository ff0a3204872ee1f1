internal import JSONText

/// What Systems Manager knows of a machine and of the agent on it.
public struct AgentInformation: Sendable, Equatable {
    /// `i-…` or `mi-…`.
    public var id: String
    /// `Online`, `ConnectionLost` or `Inactive`.
    public var ping: String?
    /// Such as `3.3.2299.0`.
    public var version: String?
    /// `Linux`, `Windows` or `MacOS`.
    public var platform: String?
    /// The name it was given when it was activated; instances of EC2 have none.
    public var name: String?
    /// What it calls itself.
    public var computerName: String?
    /// Its own address, inside its network.
    public var address: String?

    /// Describes a machine by its id.
    /// - Parameter id: `i-…` or `mi-…`.
    public init(id: String) { self.id = id }
}

/// One page of machines.
public struct AgentPage: Sendable, Equatable {
    /// In AWS's order.
    public var machines: [AgentInformation]
    /// Asks for the next page; nil at the end.
    public var nextToken: String?
}

extension ServiceCaller {
    /// Tells whether the agent of Systems Manager on a machine can be reached.
    ///
    /// SSM API: `DescribeInstanceInformation`. IAM: `ssm:DescribeInstanceInformation`.
    /// - Parameter id: `i-…` or `mi-…`.
    /// - Returns: nil when the agent has never reported.
    /// - Throws: ``ServiceError``.
    public func agentInformation(of id: String) async throws(ServiceError) -> AgentInformation? {
        let answer = try await describe("InstanceIds", id)
        return answer.machines.first { $0.id == id }
    }

    /// Lists the machines that are not EC2's, a page at a time.
    ///
    /// SSM API: `DescribeInstanceInformation`. IAM: `ssm:DescribeInstanceInformation`.
    /// - Parameter nextToken: where the page before ended.
    /// - Returns: at most 50 machines.
    /// - Throws: ``ServiceError``.
    public func managedMachines(nextToken: String?) async throws(ServiceError) -> AgentPage {
        try await describe("ResourceType", "ManagedInstance", nextToken)
    }

    private func describe(
        _ key: String,
        _ value: String,
        _ nextToken: String? = nil
    ) async throws(ServiceError) -> AgentPage {
        let filter: JSON = .object([
            "Key": JSON(.string(key)), "Values": JSON(.array([JSON(.string(value))])),
        ])
        var members: [(name: String, value: JSON)] = [("Filters", JSON(.array([filter])))]
        // The service takes no size where it is asked for one machine.
        if key != "InstanceIds" { members.append(("MaxResults", JSON(.number(50)))) }
        if let nextToken { members.append(("NextToken", JSON(.string(nextToken)))) }
        let answer = try await json(
            .ssm,
            target: "AmazonSSM.DescribeInstanceInformation",
            JSON(.object(members))
        )
        return AgentPage(
            machines: (answer["InstanceInformationList"]?.array ?? []).compactMap {
                AgentInformation($0)
            },
            nextToken: answer["NextToken"]?.string
        )
    }
}

extension AgentInformation {
    /// Reads an element of the list; nil without an id.
    fileprivate init?(_ element: JSON) {
        guard let id = element["InstanceId"]?.string else { return nil }
        self.init(id: id)
        ping = element["PingStatus"]?.string
        version = element["AgentVersion"]?.string
        platform = element["PlatformType"]?.string
        name = element["Name"]?.string
        computerName = element["ComputerName"]?.string
        address = element["IPAddress"]?.string
    }
}
