import JSONText
import Testing

@testable import AWS

/// Answers each call with one text, and keeps the last question.
private struct Answering: ServiceCaller {
    let region = "eu-west-1"
    let access = Access()
    let now = Timestamp(seconds: 0)
    let action: String
    let fields: [String]
    let text: String

    func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement {
        #expect(action == self.action)
        #expect(parameters.map { "\($0.name)=\($0.value)" } == fields)
        do { return try XMLElement.parse(Array(text.utf8)) } catch {
            throw ServiceError(.malformed, "\(error)")
        }
    }

    func json(_: Service, target: String, _: JSON) async throws(ServiceError) -> JSON {
        throw ServiceError(.malformed, target)
    }

    func credentials() async throws(ServiceError) -> Credentials {
        throw ServiceError(.noCredentials, "none")
    }
}

/// The answers are in the form of the EC2 API reference's examples.
struct NetworkCallTests {
    @Test("security groups: each kind of source, each kind of port")
    func securityGroups() async throws {
        let aws = Answering(
            action: "DescribeSecurityGroups",
            fields: ["GroupId.1=sg-1", "GroupId.2=sg-2"],
            text: """
                <DescribeSecurityGroupsResponse><securityGroupInfo><item>
                <groupId>sg-1</groupId><groupName>web</groupName><ipPermissions>
                <item><ipProtocol>tcp</ipProtocol><fromPort>22</fromPort><toPort>23</toPort>
                <groups><item><userId>1</userId><groupId>sg-9</groupId></item></groups>
                <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp></item></ipRanges>
                <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
                <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item>
                <item><ipProtocol>-1</ipProtocol><groups/><ipRanges/></item></ipPermissions>
                <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol></item></ipPermissionsEgress>
                </item><item><groupName>no id</groupName></item></securityGroupInfo>
                </DescribeSecurityGroupsResponse>
                """
        )
        var rule = SecurityGroup.Rule(transport: "tcp", ports: 22...23)
        (rule.ranges, rule.groups, rule.prefixLists) = (["10.0.0.0/8", "::/0"], ["sg-9"], ["pl-1"])
        let all = SecurityGroup.Rule(transport: "-1", ports: nil)
        #expect(
            try await aws.securityGroups(["sg-1", "sg-2"]) == [
                SecurityGroup(id: "sg-1", name: "web", inbound: [rule, all])
            ]
        )
    }

    @Test("a subnet's network ACL, both families, both directions")
    func networkACL() async throws {
        let aws = Answering(
            action: "DescribeNetworkAcls",
            fields: ["Filter.1.Name=association.subnet-id", "Filter.1.Value.1=subnet-1"],
            text: """
                <DescribeNetworkAclsResponse><networkAclSet><item>
                <networkAclId>acl-1</networkAclId><entrySet>
                <item><ruleNumber>100</ruleNumber><protocol>6</protocol>
                <ruleAction>allow</ruleAction><egress>false</egress>
                <cidrBlock>0.0.0.0/0</cidrBlock>
                <portRange><from>22</from><to>22</to></portRange></item>
                <item><ruleNumber>32767</ruleNumber><protocol>-1</protocol>
                <ruleAction>deny</ruleAction><egress>true</egress>
                <ipv6CidrBlock>::/0</ipv6CidrBlock></item></entrySet></item></networkAclSet>
                </DescribeNetworkAclsResponse>
                """
        )
        #expect(
            try await aws.networkACL(of: "subnet-1")
                == NetworkACL(
                    id: "acl-1",
                    entries: [
                        .init(
                            number: 100,
                            isAllowed: true,
                            transport: "6",
                            range: "0.0.0.0/0",
                            ports: 22...22
                        ),
                        .init(number: 32767, isOutbound: true, isAllowed: false, range: "::/0"),
                    ]
                )
        )
    }

    @Test("route tables: whose they are, and each kind of target")
    func routeTables() async throws {
        let aws = Answering(
            action: "DescribeRouteTables",
            fields: ["Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-1"],
            text: """
                <DescribeRouteTablesResponse><routeTableSet><item><routeTableId>rtb-1</routeTableId>
                <routeSet>
                <item><destinationCidrBlock>10.0.0.0/16</destinationCidrBlock>
                <gatewayId>local</gatewayId><state>active</state></item>
                <item><destinationIpv6CidrBlock>::/0</destinationIpv6CidrBlock>
                <egressOnlyInternetGatewayId>eigw-1</egressOnlyInternetGatewayId></item>
                <item><destinationCidrBlock>0.0.0.0/0</destinationCidrBlock>
                <natGatewayId>nat-1</natGatewayId><state>blackhole</state></item></routeSet>
                <associationSet><item><main>true</main></item>
                <item><subnetId>subnet-1</subnetId><main>false</main></item></associationSet></item>
                </routeTableSet></DescribeRouteTablesResponse>
                """
        )
        #expect(
            try await aws.routeTables(of: "vpc-1") == [
                RouteTable(
                    id: "rtb-1",
                    isMain: true,
                    subnets: ["subnet-1"],
                    routes: [
                        .init("10.0.0.0/16", by: "local"), .init("::/0", by: "eigw-1"),
                        .init("0.0.0.0/0", by: "nat-1", isBlackhole: true),
                    ]
                )
            ]
        )
    }

    @Test("VPC endpoints and prefix lists")
    func others() async throws {
        let endpoints = Answering(
            action: "DescribeVpcEndpoints",
            fields: ["Filter.1.Name=vpc-id", "Filter.1.Value.1=vpc-1"],
            text: """
                <DescribeVpcEndpointsResponse><vpcEndpointSet><item><vpcEndpointId>vpce-1</vpcEndpointId>
                <serviceName>com.amazonaws.eu-west-1.ssm</serviceName><state>available</state></item>
                </vpcEndpointSet></DescribeVpcEndpointsResponse>
                """
        )
        #expect(
            try await endpoints.vpcEndpoints(of: "vpc-1") == [
                VPCEndpoint(
                    id: "vpce-1",
                    service: "com.amazonaws.eu-west-1.ssm",
                    state: "available"
                )
            ]
        )
        let list = Answering(
            action: "GetManagedPrefixListEntries",
            fields: ["PrefixListId=pl-1"],
            text: """
                <GetManagedPrefixListEntriesResponse><entrySet><item><cidr>192.0.2.0/24</cidr></item>
                <item><cidr>2001:db8::/32</cidr></item></entrySet>
                </GetManagedPrefixListEntriesResponse>
                """
        )
        #expect(try await list.prefixListRanges("pl-1") == ["192.0.2.0/24", "2001:db8::/32"])
    }

    @Test("the address from outside: asked of AWS's service, or of the one that is set")
    func address() async throws {
        for (environment, url) in [
            ([:], "checkip.amazonaws.com"),
            (["EC2SH_CHECKIP_URL": "http://127.0.0.1:8/a"], "127.0.0.1:8"),
        ] as [([String: String], String)] {
            let settings = try AWSSettings(environment: environment, home: "/nonexistent")
            let wire = ScriptedWire([.success(WireResponse(200, "203.0.113.9\n"))])
            #expect(try await settings.addressFromOutside(wire) == "203.0.113.9")
            #expect(wire.requests.map(\.url.authority) == [url])
            #expect(wire.requests.allSatisfy { !$0.isProxied })
        }
    }

    @Test(
        "what is no address is not taken for one",
        arguments: [
            "", "<html>", "203.0.113.9, 10.0.0.1", "\u{1b}[2J", String(repeating: "1", count: 50),
        ]
    )
    func noAddress(text: String) async throws {
        let settings = try AWSSettings(environment: [:], home: "/nonexistent")
        let wire = ScriptedWire([.success(WireResponse(200, text))])
        await #expect(throws: ServiceError.self) { try await settings.addressFromOutside(wire) }
    }
}
