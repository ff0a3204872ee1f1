import AWS
import Foundation
import JSONText
import Synchronization
import Testing

/// Answers each call with the same text, and keeps what it was asked.
private final class OneAnswer: ServiceCaller {
    let region = "eu-west-1"
    let access = Access()
    let now = Timestamp(seconds: 0)
    private let text: String
    private let asked = Mutex<[String]>([])
    var calls: [String] { asked.withLock { $0 } }

    init(_ text: String) { self.text = text }

    func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement {
        let words = parameters.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        asked.withLock { $0.append("\(service) \(action) \(version) \(words)") }
        do { return try XMLElement.parse(Array(text.utf8)) } catch {
            throw ServiceError(.malformed, "\(error)")
        }
    }

    func json(
        _ service: Service,
        target: String,
        _ body: JSON
    ) async throws(ServiceError) -> JSON {
        asked.withLock { $0.append("\(service) \(target) \(body.text)") }
        do { return try JSON.parse(Array(text.utf8)) } catch {
            throw ServiceError(.malformed, "\(error)")
        }
    }

    func credentials() async throws(ServiceError) -> Credentials {
        throw ServiceError(.noCredentials, "none")
    }
}

private let id = "i-0123456789abcdef0"

struct CallTests {
    @Test("Every address of an instance is read, each once")
    func addresses() async throws {
        let aws = OneAnswer(
            """
            <DescribeInstancesResponse><reservationSet><item><ownerId>1</ownerId><instancesSet>
            <item><instanceId>\(id)</instanceId><ipAddress>203.0.113.25</ipAddress>
            <dnsName>EC2-203-0-113-25.compute-1.amazonaws.com</dnsName><privateDnsName/>
            <privateIpAddress>10.0.0.7</privateIpAddress><platform>windows</platform>
            <ipv6Address>2001:db8::1</ipv6Address><networkInterfaceSet><item>
              <ipv6AddressesSet><item><ipv6Address>2001:db8::1</ipv6Address></item>
                <item><ipv6Address>2001:db8::2</ipv6Address></item></ipv6AddressesSet>
              <privateIpAddressesSet><item><privateIpAddress>10.0.0.7</privateIpAddress>
                <association><publicIp>203.0.113.25</publicIp></association></item>
                <item><privateIpAddress>10.0.0.8</privateIpAddress>
                <association><publicIp>203.0.113.26</publicIp></association></item>
              </privateIpAddressesSet></item></networkInterfaceSet></item>
            <item><imageId>no id, no instance</imageId></item>
            </instancesSet></item></reservationSet><nextToken>abc=</nextToken>
            </DescribeInstancesResponse>
            """
        )
        let filters = [InstanceFilter("tag:Name", exactly: "a*"), InstanceFilter("x", ["1", "2"])]
        let page = try await aws.describeInstances(filters, nextToken: "t")
        #expect(page.nextToken == "abc=")
        var wanted = Instance(id: id, state: InstanceState(rawValue: ""))
        wanted.publicAddress = "203.0.113.25"
        wanted.privateAddress = "10.0.0.7"
        wanted.publicName = "ec2-203-0-113-25.compute-1.amazonaws.com"
        wanted.platform = "windows"
        wanted.account = "1"
        wanted.ipv6Addresses = ["2001:db8::1", "2001:db8::2"]
        wanted.otherAddresses = ["10.0.0.8", "203.0.113.26"]
        #expect(page.instances == [wanted])
        #expect(
            aws.calls == [
                "ec2 DescribeInstances 2016-11-15 Filter.1.Name=tag:Name&Filter.1.Value.1=a\\*"
                    + "&Filter.2.Name=x&Filter.2.Value.1=1&Filter.2.Value.2=2"
                    + "&MaxResults=1000&NextToken=t"
            ]
        )
    }

    @Test("Console output is decoded; none yet is no error, and no base64 is one")
    func console() async throws {
        let text = "line\r\n\u{1b}[1mé"
        let base64 = Data(text.utf8).base64EncodedString(options: .lineLength76Characters)
        let aws = OneAnswer("<R><instanceId>\(id)</instanceId><output>\n\(base64)\n</output></R>")
        #expect(try await aws.consoleOutput(of: id) == Array(text.utf8))
        #expect(try await aws.consoleOutput(of: id, isLatest: true) == Array(text.utf8))
        #expect(aws.calls.last == "ec2 GetConsoleOutput 2016-11-15 InstanceId=\(id)&Latest=true")
        #expect(try await OneAnswer("<R><output/></R>").consoleOutput(of: id) == [])
        await #expect(throws: ServiceError.self) {
            try await OneAnswer("<R><output>a</output></R>").consoleOutput(of: id)
        }
    }

    @Test("A key pair is found by its name alone")
    func keyPair() async throws {
        let aws = OneAnswer(
            """
            <DescribeKeyPairsResponse><keySet><item><keyName>my-key</keyName>
            <keyFingerprint>1f:51:ae</keyFingerprint><keyType>rsa</keyType>
            <publicKey>ssh-rsa AAAA my-key</publicKey></item></keySet></DescribeKeyPairsResponse>
            """
        )
        let pair = try await aws.describeKeyPair("my-key")
        #expect(pair?.fingerprint == "1f:51:ae" && pair?.publicKey == "ssh-rsa AAAA my-key")
        #expect(try await aws.describeKeyPair("My-Key") == nil)
    }

    @Test("The agent's state is that of the machine that was asked about")
    func agent() async throws {
        let aws = OneAnswer(
            """
            {"InstanceInformationList": [{"InstanceId": "\(id)", "PingStatus": "Online",
            "AgentVersion": "3.3.2299.0", "PlatformType": "Linux"}]}
            """
        )
        #expect(try await aws.agentInformation(of: id)?.ping == "Online")
        #expect(try await aws.agentInformation(of: "mi-0123456789abcdef0") == nil)
        #expect(
            aws.calls.first == "ssm AmazonSSM.DescribeInstanceInformation "
                + "{\"Filters\":[{\"Key\":\"InstanceIds\",\"Values\":[\"\(id)\"]}]}"
        )
        #expect(try await OneAnswer("{}").agentInformation(of: id) == nil)
    }

    @Test("A key that was not taken is an error")
    func push() async throws {
        let aws = OneAnswer("{\"RequestId\": \"r\", \"Success\": true}")
        try await aws.sendSSHPublicKey("ssh-ed25519 AAAA", to: id, user: "ubuntu")
        #expect(
            aws.calls == [
                "instanceConnect AWSEC2InstanceConnectService.SendSSHPublicKey "
                    + "{\"InstanceId\":\"\(id)\",\"InstanceOSUser\":\"ubuntu\","
                    + "\"SSHPublicKey\":\"ssh-ed25519 AAAA\"}"
            ]
        )
        await #expect(throws: ServiceError.self) {
            try await OneAnswer("{\"Success\": false}")
                .sendSSHPublicKey("k", to: id, user: "u")
        }
    }
}
