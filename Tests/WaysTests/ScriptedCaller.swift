import AWS
import JSONText
import Synchronization

/// Answers API calls as a test has them.
final class ScriptedCaller: ServiceCaller {
    typealias JSONAnswer = @Sendable (String, JSON) -> Result<JSON, ServiceError>

    let region = "eu-central-1"
    let access: Access
    var now: Timestamp { Timestamp(seconds: 1_700_000_000) }
    private let endpoints: [InstanceConnectEndpoint]
    private let answer: JSONAnswer
    private let log = Mutex<[String]>([])

    init(
        access: Access = Access(),
        endpoints: [InstanceConnectEndpoint] = [],
        answer: @escaping JSONAnswer = { _, _ in .success(.object([:])) }
    ) {
        self.access = access
        self.endpoints = endpoints
        self.answer = answer
    }

    /// The calls that were made.
    var calls: [String] { log.withLock { $0 } }

    func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement {
        log.withLock { $0.append(action) }
        let items = endpoints.map { endpoint in
            XMLElement(
                "item",
                [
                    XMLElement("instanceConnectEndpointId", text: endpoint.id),
                    XMLElement("dnsName", text: endpoint.name ?? ""),
                    XMLElement("fipsDnsName", text: endpoint.fipsName ?? ""),
                    XMLElement("subnetId", text: endpoint.subnet ?? ""),
                    XMLElement("availabilityZone", text: endpoint.zone ?? ""),
                ]
            )
        }
        return XMLElement("Answer", [XMLElement("instanceConnectEndpointSet", items)])
    }

    func json(
        _ service: Service,
        target: String,
        _ body: JSON
    ) async throws(ServiceError) -> JSON {
        log.withLock { $0.append(target) }
        return try answer(target, body).get()
    }

    func credentials() async throws(ServiceError) -> Credentials {
        Credentials(accessKeyID: "AKIDEXAMPLE", secretAccessKey: "secret", sessionToken: "tok/en+=")
    }
}
