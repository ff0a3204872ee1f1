internal import AWS
internal import Client
internal import EC2
internal import Faults
internal import SSHConfig

/// The instance as AWS sees it.
struct InstanceChecks: Sendable {
    let cloud: CloudFacts
    let trials: Fact<Trials>
    /// EC2Ways.
    let allowed: [WayName]

    /// The checks that explain why nobody can be reached.
    static let ids = [
        "instance.exists", "instance.state", "instance.platform", "instance.status",
        "instance.address",
    ]

    var all: [Check] {
        [
            Check(
                "instance.exists",
                "instance",
                .instance,
                dependsOn: ["aws.credentials", "aws.permissions"]
            ) { await exists() },
            check("state", "state", after: ["exists"]) { state($0, $1) },
            check("platform", "platform", after: ["exists"]) { platform($0, $1) },
            check("status", "status checks", after: ["exists", "state"]) { await status($0, $1) },
            check("address", "public address", after: ["exists", "state"]) {
                await address($0, $1)
            },
        ]
    }

    private func check(
        _ name: String,
        _ title: String,
        after: [String],
        _ judge: @escaping @Sendable (KnownInstance, Trials) async -> Finding
    ) -> Check {
        Check("instance.\(name)", title, .instance, dependsOn: after.map { "instance.\($0)" }) {
            guard case .success(let known) = await cloud.instance.value else {
                return .unknown("the instance is not known")
            }
            return await judge(known, await trials.value)
        }
    }

    private func exists() async -> Finding {
        switch await cloud.instance.value {
        case .success(let known):
            let instance = known.instance
            let name = instance.name.map { " (\($0))" } ?? ""
            let image = instance.imageID.map { ", image \($0)" } ?? ""
            return .ok("\(instance.id)\(name) in \(known.region)\(image)")
        case .failure(.service(let error)):
            return .unknown(error.summary, error.hint)
        case .failure(let error):
            let isReached = await trials.value.success != nil
            return isReached ? .note(error.summary) : .broken(error.summary, error.hint)
        }
    }

    private func state(_ known: KnownInstance, _ trials: Trials) -> Finding {
        let instance = known.instance
        let seen = [instance.stateReason].compactMap { $0 }
        let says = "\(instance.id) is \(instance.state.rawValue)"
        switch instance.state {
        case .running: return .ok(says)
        case .pending: return .broken("\(says)", seen: seen, .run("ec2sh \(instance.id)"))
        case .stopped, .stopping:
            let command = "aws ec2 start-instances --region \(known.region) --instance-ids"
            return .broken(
                says,
                seen: seen + InstanceChecks.warnings(instance),
                .run("\(command) \(instance.id)"),
                // What is still about to stop cannot be started.
                repair: instance.state == .stopped
                    ? .start(instance: instance.id, region: known.region) : nil
            )
        default:
            return .broken(says, seen: seen, .run("ec2sh list"))
        }
    }

    /// What starting an instance may bring besides.
    private static func warnings(_ instance: Instance) -> [String] {
        var warnings = ["a public address that is no Elastic IP will be another one"]
        if let group = instance.tags["aws:autoscaling:groupName"] {
            warnings.append("it belongs to the auto scaling group \(group), which may replace it")
        }
        return warnings
    }

    private func platform(_ known: KnownInstance, _ trials: Trials) -> Finding {
        guard known.instance.platform?.lowercased() == "windows", trials.success == nil else {
            return .ok(known.instance.platform ?? "Linux/UNIX")
        }
        return .broken(
            "\(known.instance.id) runs Windows, which people reach by RDP and not by SSH",
            .run(
                "aws ssm start-session --region \(known.region) --target \(known.instance.id) "
                    + "--document-name AWS-StartPortForwardingSession "
                    + "--parameters portNumber=3389,localPortNumber=3389"
            )
        )
    }

    private func status(_ known: KnownInstance, _ trials: Trials) async -> Finding {
        let status: InstanceStatus
        switch await cloud.status.value {
        case .success(let found?): status = found
        case .success(nil): return .unknown("AWS tells nothing of them")
        case .failure(let error): return .unknown(error.summary, error.hint)
        }
        let (system, own) = (status.system ?? "unknown", status.instance ?? "unknown")
        let id = "--region \(known.region) --instance-ids \(known.instance.id)"
        let seen = ["system status \(system)", "instance status \(own)"]
        let finding: Finding
        if system == "impaired" {
            finding = .broken(
                "AWS's machine below the instance fails its check",
                seen: seen,
                .advice(
                    "stop and start it, so that it comes up on another machine: aws ec2 "
                        + "stop-instances \(id)"
                )
            )
        } else if own == "impaired" {
            finding = .broken(
                "the instance does not answer AWS's check: its system has not come up",
                seen: seen,
                .run(
                    "aws ec2 get-console-output --latest --region \(known.region) --output text "
                        + "--instance-id \(known.instance.id)"
                )
            )
        } else if system == "initializing" || own == "initializing" {
            finding = .broken(
                "its status checks are not through yet: it has just been started",
                seen: seen,
                .run("aws ec2 wait instance-status-ok \(id)")
            )
        } else {
            return .ok("system \(system), instance \(own)")
        }
        return trials.success == nil ? finding : finding.harmless("it lets us in all the same")
    }

    private func address(_ known: KnownInstance, _ trials: Trials) async -> Finding {
        let instance = known.instance
        if known.isManaged { return .ok("a managed machine needs none") }
        if let address = instance.publicAddress { return .ok(address) }
        if let address = instance.ipv6Addresses.first { return .ok(address) }
        let says = "\(instance.id) has no public address"
        let finding = Finding.broken(
            says,
            .advice(
                "install the SSM agent and give it the role AmazonSSMManagedInstanceCore, or make "
                    + "an endpoint: aws ec2 create-instance-connect-endpoint --region "
                    + "\(known.region) --subnet-id \(instance.subnet ?? "subnet-…")"
            )
        )
        if trials.isDirectlyReached { return .note("\(says); its private one answers") }
        if let way = trials.way { return finding.harmless(way) }
        // There is another way, and what is wrong with it is the cause.
        let agent = await cloud.agent.value.value
        let endpoints = await cloud.connectEndpoints.value.value ?? []
        let hasOther =
            allowed.contains(.ssm) && agent.flatMap { $0 } != nil
            || allowed.contains(.endpoint) && !endpoints.isEmpty
        return hasOther ? finding.harmless("there are other ways") : finding
    }
}
