internal import AWS
internal import Client
internal import EC2
internal import Faults
internal import SSHConfig

/// The ways in besides a connection from here: only where none leads in are they in the way.
struct WaysChecks: Sendable {
    let cloud: CloudFacts
    let trials: Fact<Trials>
    /// EC2Ways.
    let allowed: [WayName]

    static let ids = ["ways.endpoint", "ways.ssm"]

    var all: [Check] {
        [
            check("endpoint", "Instance Connect endpoint", .endpoint) { await endpoint($0, $1) },
            check("ssm", "Systems Manager", .ssm) { await agent($0, $1) },
        ]
    }

    private func check(
        _ name: String,
        _ title: String,
        _ way: WayName,
        _ judge: @escaping @Sendable (KnownInstance, Trials) async -> Finding
    ) -> Check {
        let after = ["instance.exists", "instance.state", "instance.platform"]
        return Check("ways.\(name)", title, .ways, dependsOn: after) {
            guard allowed.contains(way) else { return .skipped("EC2Ways does not allow it") }
            guard case .success(let known) = await cloud.instance.value else {
                return .unknown("the instance is not known")
            }
            let trials = await trials.value
            if trials.success?.way == way { return .ok("it leads in") }
            let finding = await judge(known, trials)
            // A person's first way is the direct one: what is wrong with that is told before.
            let isOnly = known.address == known.instance.privateAddress || known.isManaged
            return isOnly && trials.success == nil ? finding : finding.harmless("it is not needed")
        }
    }

    private func endpoint(_ known: KnownInstance, _ trials: Trials) async -> Finding {
        switch await cloud.connectEndpoints.value {
        case .failure(let error): return .unknown(error.summary, error.hint)
        case .success(let endpoints) where endpoints.isEmpty:
            return .note("\(known.instance.vpc ?? "its VPC") has none that works")
        case .success(let endpoints):
            let names = endpoints.map(\.id).joined(separator: ", ")
            guard let loss = trials.others?.losses[.endpoint] else { return .ok(names) }
            return .broken("\(names): \(loss.summary)", loss.hint)
        }
    }

    private func agent(_ known: KnownInstance, _ trials: Trials) async -> Finding {
        let information: AgentInformation
        switch await cloud.agent.value {
        case .failure(let error): return .unknown(error.summary, error.hint)
        case .success(let found?): information = found
        case .success(nil):
            let profile = known.instance.profile
            return .note(
                "the agent of \(known.instance.id) has never reported",
                seen: [profile.map { "instance profile \($0)" } ?? "no instance profile"],
                profile == nil
                    ? .advice(
                        "give it an instance profile whose role has AmazonSSMManagedInstanceCore"
                    ) : .advice("its role needs AmazonSSMManagedInstanceCore, and it an agent")
            )
        }
        let ping = information.ping ?? "unknown"
        let seen = ["PingStatus \(ping)", "agent \(information.version ?? "unknown")"]
        guard ping == "Online" else {
            let endpoints = await missingEndpoints(known)
            return .broken(
                "the agent of \(known.instance.id) is not online (\(ping))\(endpoints)",
                seen: seen,
                .run(
                    "aws ssm describe-instance-information --region \(known.region) --filters "
                        + "Key=InstanceIds,Values=\(known.instance.id)"
                )
            )
        }
        guard let loss = trials.others?.losses[.ssm] else { return .ok("its agent is online") }
        return .broken("its agent is online, and \(loss.summary)", seen: seen, loss.hint)
    }

    /// What a private subnet without a NAT gateway needs for the agent.
    private func missingEndpoints(_ known: KnownInstance) async -> String {
        guard let subnet = known.instance.subnet,
            case .success(let tables) = await cloud.routeTables.value,
            let table = RouteChoice.table(for: subnet, of: tables),
            case .success(let endpoints) = await cloud.vpcEndpoints.value,
            !table.routes.contains(where: { $0.destination == "0.0.0.0/0" && !$0.isBlackhole })
        else { return "" }
        let missing = ["ssm", "ssmmessages", "ec2messages"].filter { name in
            !endpoints.contains { $0.service.hasSuffix(".\(name)") }
        }
        return missing.isEmpty
            ? ""
            : "; its subnet has no way out, and no VPC endpoint for "
                + missing.joined(separator: ", ")
    }
}
