public import AWS
internal import JSONText

/// The Instance Connect endpoints of a VPC that work, and since when that is known.
public struct KnownEndpoints: Sendable, Equatable {
    /// The VPC.
    public let vpc: String
    /// Its endpoints; empty when it has none.
    public let endpoints: [InstanceConnectEndpoint]
    /// When AWS told of them.
    public let seen: Timestamp

    /// Describes a VPC's endpoints.
    public init(vpc: String, endpoints: [InstanceConnectEndpoint], seen: Timestamp) {
        self.vpc = vpc
        self.endpoints = endpoints
        self.seen = seen
    }
}

extension KnownEndpoints {
    var json: JSON {
        let list = endpoints.map { endpoint in
            let members: [(String, String?)] = [
                ("id", endpoint.id), ("name", endpoint.name), ("fips", endpoint.fipsName),
                ("subnet", endpoint.subnet), ("zone", endpoint.zone),
            ]
            return JSON(
                .object(members.compactMap { name, text in text.map { (name, JSON(.string($0))) } })
            )
        }
        return .object([
            "vpc": JSON(.string(vpc)), "endpoints": JSON(.array(list)),
            "seen": JSON(.number(Double(seen.seconds))),
        ])
    }

    init?(json: JSON) {
        guard let vpc = json["vpc"]?.string, let list = json["endpoints"]?.array,
            let seen = json["seen"]?.integer
        else { return nil }
        let endpoints = list.compactMap { json in
            json["id"]?.string.map { id in
                InstanceConnectEndpoint(
                    id: id,
                    name: json["name"]?.string,
                    fipsName: json["fips"]?.string,
                    subnet: json["subnet"]?.string,
                    zone: json["zone"]?.string
                )
            }
        }
        self.init(vpc: vpc, endpoints: endpoints, seen: Timestamp(seconds: Int64(seen)))
    }
}
