internal import AWS
internal import EC2
internal import Faults
internal import Posix

/// What of the VPC's network is between this machine and the instance.
struct NetworkChecks: Sendable {
    let cloud: CloudFacts
    let trials: Fact<Trials>
    let port: Int

    static let ids = ["network.route", "network.acl", "network.security-group"]

    var all: [Check] {
        [
            check("route", "route to the internet") { known, ends in
                switch await cloud.routeTables.value {
                case .failure(let error): return .unknown(error.summary, error.hint)
                case .success(let tables):
                    guard let subnet = known.instance.subnet,
                        let table = RouteChoice.table(for: subnet, of: tables)
                    else { return .unknown("AWS tells of no route table") }
                    return finding(
                        RouteChoice.judge(ends, table),
                        .advice(
                            "give the subnet a route to an internet gateway: aws ec2 create-route "
                                + "--region \(known.region) --route-table-id \(table.id) "
                                + "--destination-cidr-block 0.0.0.0/0 --gateway-id igw-…"
                        )
                    )
                }
            },
            check("acl", "network ACL") { known, ends in
                switch await cloud.acl.value {
                case .failure(let error): return .unknown(error.summary, error.hint)
                case .success(nil): return .unknown("AWS tells of no network ACL")
                case .success(let acl?):
                    return finding(
                        ACLRules.judge(ends, acl),
                        .run(
                            "aws ec2 describe-network-acls --region \(known.region) "
                                + "--network-acl-ids \(acl.id) --query 'NetworkAcls[].Entries'"
                        )
                    )
                }
            },
            check("security-group", "security groups") { known, ends in
                switch await cloud.groups.value {
                case .failure(let error): return .unknown(error.summary, error.hint)
                case .success(let groups):
                    let lists = await cloud.prefixLists.value
                    let group = groups.first
                    var found = finding(
                        InboundRules.judge(ends, groups, prefixLists: lists),
                        group.map { authorization(ends, $0, known.region) }
                    )
                    if found.status == .broken, let group, let range = ends.ownRange {
                        found.repair = .allow(
                            range: range,
                            port: port,
                            group: group.id,
                            region: known.region
                        )
                    }
                    return found
                }
            },
        ]
    }

    private func check(
        _ name: String,
        _ title: String,
        _ judge: @escaping @Sendable (KnownInstance, PathEnds) async -> Finding
    ) -> Check {
        Check("network.\(name)", title, .network, dependsOn: InstanceChecks.ids) {
            guard case .success(let known) = await cloud.instance.value else {
                return .unknown("the instance is not known")
            }
            guard let address = known.instance.publicAddress ?? known.instance.ipv6Addresses.first
            else { return .skipped("it has no public address") }
            let trials = await trials.value
            if trials.isDirectlyReached { return .ok("port \(port) answers") }
            let found = await judge(known, await ends(to: address))
            return trials.way.map { found.harmless($0) } ?? found
        }
    }

    private func ends(to address: String) async -> PathEnds {
        let isIPv6 = address.utf8.contains(UInt8(ascii: ":"))
        let own = isIPv6 ? ownIPv6Address() : await cloud.address.value.value
        return PathEnds(from: own, isIPv6: isIPv6, port: port)
    }

    /// Of IPv6 nothing is translated: it is an interface's own.
    private func ownIPv6Address() -> String? {
        let all = (try? interfaceAddresses()) ?? []
        return all.first {
            $0.isUp && $0.address.family == .ipv6 && !$0.isLoopback && !$0.address.isLinkLocal
        }?.address.host
    }

    private func finding(_ verdict: PathVerdict, _ remedy: Hint?) -> Finding {
        switch verdict {
        case .open(let seen): .ok(seen)
        case .closed(let seen): .broken(seen, remedy)
        case .unknown(let seen): .unknown(seen)
        }
    }

    /// A rule for this address alone.
    private func authorization(_ ends: PathEnds, _ group: SecurityGroup, _ region: String) -> Hint {
        let command = "aws ec2 authorize-security-group-ingress --region \(region) --group-id"
        let range = ends.ownRange ?? "YOUR-ADDRESS/32"
        let permission =
            ends.isIPv6
            ? "--ip-permissions 'IpProtocol=tcp,FromPort=\(port),ToPort=\(port),"
                + "Ipv6Ranges=[{CidrIpv6=\(range)}]'"
            : "--protocol tcp --port \(port) --cidr \(range)"
        return .run("\(command) \(group.id) \(permission)")
    }
}
