internal import AWS
internal import Client
internal import EC2
internal import Faults

/// What should be safer (`--security`): advice, and never in the way.
struct SafetyChecks: Sendable {
    let cloud: CloudFacts
    let trials: Fact<Trials>
    let port: Int

    var all: [Check] {
        [
            Check("safety.open-port", "open to the world", .safety, dependsOn: ["instance.exists"])
            {
                switch await cloud.groups.value {
                case .failure(let error): return .unknown(error.summary, error.hint)
                case .success(let groups): return openPort(groups)
                }
            },
            Check("safety.metadata", "metadata", .safety, dependsOn: ["instance.exists"]) {
                guard case .success(let known) = await cloud.instance.value else {
                    return .unknown("the instance is not known")
                }
                return metadata(known)
            },
            Check("safety.root", "root login", .safety, dependsOn: ["login.accepted"]) {
                guard let success = await trials.value.success else {
                    return .unknown("nobody was let in")
                }
                return success.user == "root"
                    ? .note("root itself is let in", .advice("log in as another user, with sudo"))
                    : .ok("we are \(success.user)")
            },
        ]
    }

    private func openPort(_ groups: [SecurityGroup]) -> Finding {
        // An address that is nobody's own shows what everybody may.
        for source in ["192.0.2.1", "2001:db8::1"] {
            let ends = PathEnds(from: source, port: port)
            let ofAll = groups.map { group in
                var group = group
                for index in group.inbound.indices {
                    group.inbound[index].ranges.removeAll { $0 != ends.everywhere }
                    group.inbound[index].prefixLists = []
                }
                return group
            }
            if case .open(let seen) = InboundRules.judge(ends, ofAll) {
                return .note(
                    "port \(port) is open to everybody",
                    seen: [seen],
                    .advice("let in your own address alone, or use EC2Ways=ssm without any rule")
                )
            }
        }
        return .ok("port \(port) is not open to everybody")
    }

    private func metadata(_ known: KnownInstance) -> Finding {
        guard known.instance.metadataTokens == "optional" else {
            return .ok("tokens \(known.instance.metadataTokens ?? "not told of")")
        }
        return .note(
            "programs on it can ask for its role's keys without a token (IMDSv1)",
            .run(
                "aws ec2 modify-instance-metadata-options --region \(known.region) --http-tokens "
                    + "required --instance-id \(known.instance.id)"
            )
        )
    }
}
