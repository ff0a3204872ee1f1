import AWS
import Foundation
import JSONText
import Synchronization

/// Answers in the place of AWS, and counts.
final class ScriptedCaller: ServiceCaller {
    typealias Fields = [String: String]
    typealias Answer = @Sendable (Fields) throws -> String

    let region: String
    let access = Access()
    let now = Timestamp(seconds: 1_800_000_000)
    private let answers: [String: Answer]
    private let delay: Duration
    private let asked = Mutex<[(action: String, fields: Fields)]>([])

    init(
        region: String = "eu-west-1",
        delay: Duration = .zero,
        _ answers: [String: Answer]
    ) {
        self.region = region
        self.delay = delay
        self.answers = answers
    }

    func count(_ action: String) -> Int {
        asked.withLock { $0.filter { $0.action == action }.count }
    }
    func fields(_ action: String) -> [Fields] {
        asked.withLock { $0.filter { $0.action == action }.map(\.fields) }
    }

    func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement {
        let fields = Dictionary(parameters.map { ($0.name, $0.value) }) { first, _ in first }
        let text = try await answer(action, fields)
        do { return try XMLElement.parse(Array(text.utf8)) } catch {
            throw ServiceError(.malformed, "\(error)")
        }
    }

    func json(
        _ service: Service,
        target: String,
        _ body: JSON
    ) async throws(ServiceError) -> JSON {
        let text = try await answer(target, ["body": body.text])
        do { return try JSON.parse(Array(text.utf8)) } catch {
            throw ServiceError(.malformed, "\(error)")
        }
    }

    func credentials() async throws(ServiceError) -> Credentials {
        Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret")
    }

    private func answer(_ action: String, _ fields: Fields) async throws(ServiceError) -> String {
        asked.withLock { $0.append((action, fields)) }
        try? await Task.sleep(for: delay)
        do {
            if let answer = answers[action] { return try answer(fields) }
        } catch {
            throw error as? ServiceError ?? ServiceError(.service, "\(error)")
        }
        throw ServiceError(action: action, code: "UnauthorizedOperation", message: "", status: 403)
    }
}

/// Answers of EC2 as its API reference shows them.
enum EC2Answer {
    static func instance(
        _ id: String,
        name: String? = nil,
        state: String = "running",
        image: String = "ami-0abcdef1234567890",
        more: String = ""
    ) -> String {
        let tag = name.map { "<item><key>Name</key><value>\($0)</value></item>" } ?? ""
        return """
            <item>
                <instanceId>\(id)</instanceId>
                <imageId>\(image)</imageId>
                <instanceState><code>16</code><name>\(state)</name></instanceState>
                <privateDnsName>ip-10-0-0-7.eu-west-1.compute.internal</privateDnsName>
                <keyName>my-key</keyName>
                <instanceType>t3.micro</instanceType>
                <launchTime>2026-11-20T10:00:00.000Z</launchTime>
                <placement><availabilityZone>eu-west-1b</availabilityZone></placement>
                <subnetId>subnet-1</subnetId><vpcId>vpc-1</vpcId>
                <privateIpAddress>10.0.0.7</privateIpAddress>
                <tagSet>\(tag)<item><key>Team</key><value>a&amp;b</value></item></tagSet>
                \(more)
            </item>
            """
    }

    static func instances(_ instances: [String], next: String? = nil) -> String {
        """
        <?xml version="1.0" encoding="UTF-8"?>
        <DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <requestId>8f7724cf-496f-496e-8fe3-example</requestId>
            <reservationSet><item>
                <reservationId>r-1234567890abcdef0</reservationId>
                <ownerId>123456789012</ownerId><groupSet/>
                <instancesSet>\(instances.joined())</instancesSet>
            </item></reservationSet>
            \(next.map { "<nextToken>\($0)</nextToken>" } ?? "")
        </DescribeInstancesResponse>
        """
    }

    static func images(
        _ images: [(id: String, name: String, owner: String, source: String?)]
    )
        -> String
    {
        let items = images.map { image in
            """
            <item><imageId>\(image.id)</imageId><name>\(image.name)</name>
            <imageOwnerId>\(image.owner)</imageOwnerId>
            <creationDate>2026-01-02T03:04:05.000Z</creationDate>
            \(image.source.map { "<sourceImageId>\($0)</sourceImageId>" } ?? "")</item>
            """
        }
        return """
            <DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
                <requestId>59dbff89-35bd-4eac-99ed-be587EXAMPLE</requestId>
                <imagesSet>\(items.joined())</imagesSet>
            </DescribeImagesResponse>
            """
    }

    /// The values of a filter, or nil when it was not asked for.
    static func filter(_ name: String, in fields: ScriptedCaller.Fields) -> [String]? {
        guard let place = fields.first(where: { $0.key.hasSuffix(".Name") && $0.value == name })
        else { return nil }
        let prefix = place.key.replacingOccurrences(of: ".Name", with: ".Value.")
        return fields.filter { $0.key.hasPrefix(prefix) }.map(\.value)
    }
}

/// A cache of one test's own, and a clock that it sets.
final class TestCache: Sendable {
    let path = NSTemporaryDirectory() + "ec2sh-inventory-\(UUID().uuidString)"
    private let time = Mutex<Int64>(1_800_000_000)
    let notes = Mutex<[String]>([])
    deinit { try? FileManager.default.removeItem(atPath: path) }

    var environment: [String: String] { ["XDG_CACHE_HOME": path] }
    var files: [String] {
        let directory = path + "/ec2sh/inventory"
        return ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []).sorted()
            .filter { !$0.hasSuffix(".lock") && !$0.hasSuffix(".wishes") }.map {
                "\(directory)/\($0)"
            }
    }
    var now: Timestamp { Timestamp(seconds: time.withLock { $0 }) }
    func pass(_ seconds: Int64) { time.withLock { $0 += seconds } }
}
