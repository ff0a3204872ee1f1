internal import AWS
internal import Client
internal import EC2
internal import Faults

/// From the name to the host key, as a login has met them.
struct TransportChecks: Sendable {
    let trials: Fact<Trials>
    /// What AWS tells; nil for a plain host.
    let cloud: CloudFacts?
    /// The checks of what lies before the server; none for a plain host.
    let before: [Check.ID]

    static let ids = [
        "transport.name", "transport.tcp", "transport.banner", "transport.host-key",
    ]

    var all: [Check] {
        [
            check("name", "name", after: before) { trials, failure in
                guard failure?.outcome == .nameNotFound else { return .ok("it has an address") }
                return broken(failure)
            },
            check("tcp", "TCP", after: before + ["transport.name"]) { trials, failure in
                switch failure?.outcome {
                case .noAnswer, .connectionRefused: return broken(failure)
                default: return .ok("connected")
                }
            },
            check("banner", "SSH server", after: before + ["transport.name", "transport.tcp"]) {
                trials,
                failure in
                switch failure?.outcome {
                case .closedBeforeBanner, .notSSH, .penalized: return broken(failure)
                default:
                    let banner = (trials.direct?.banner ?? trials.others?.banner) ?? ""
                    return .ok(banner.isEmpty ? "it answers" : banner)
                }
            },
            check(
                "host-key",
                "host key",
                after: before + ["transport.name", "transport.tcp", "transport.banner"]
            ) { trials, failure in
                guard case .hostKeyRefused(let refusal)? = failure?.outcome else {
                    return .ok("known, or proven")
                }
                switch refusal {
                case .unknownKey, .declined:
                    return .note(
                        "not known yet, and nothing of AWS's proves it: the first login will ask"
                    )
                default: return broken(failure)
                }
            },
        ]
    }

    private func check(
        _ name: String,
        _ title: String,
        after: [Check.ID],
        _ judge: @escaping @Sendable (Trials, LoginTrial.Failure?) -> Finding
    ) -> Check {
        Check("transport.\(name)", title, .transport, dependsOn: after) {
            let trials = await trials.value
            if let fault = trials.fault { return .unknown(fault) }
            let direct = trials.direct?.failure
            if trials.success == nil, trials.failure?.isBeforeServer == true, await !hasAddress {
                return .skipped("it has no address that leads to it from here")
            }
            // What the direct way met, where another leads in all the same.
            if trials.success == nil { return judge(trials, trials.failure) }
            let finding = judge(trials, direct)
            return trials.way.map { finding.harmless($0) } ?? finding
        }
    }

    private var hasAddress: Bool {
        get async {
            guard let known = await cloud?.instance.value.value else { return true }
            return known.instance.publicAddress != nil || !known.instance.ipv6Addresses.isEmpty
        }
    }

    private func broken(_ failure: LoginTrial.Failure?) -> Finding {
        guard let failure else { return .unknown("nothing was seen") }
        return .broken(failure.summary, seen: [failure.tried].compactMap { $0 }, failure.hint)
    }
}
