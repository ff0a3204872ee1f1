internal import AWS
internal import Client
internal import EC2
internal import Faults
internal import SSHConfig

/// The login itself.
struct LoginChecks: Sendable {
    let trials: Fact<Trials>
    /// What AWS tells; nil for a plain host.
    let cloud: CloudFacts?
    /// The user the caller gave; nil when none was.
    let givenUser: String?
    let host: String
    let before: [Check.ID]

    var all: [Check] {
        let after = before + TransportChecks.ids
        var checks: [Check] = []
        if let cloud {
            checks.append(
                Check("login.user", "user", .login, dependsOn: after) { await user(cloud) }
            )
        }
        checks.append(
            Check(
                "login.accepted",
                "login",
                .login,
                dependsOn: ["here.key", "login.user"] + after + WaysChecks.ids
            ) { await accepted() }
        )
        return checks
    }

    private func user(_ cloud: CloudFacts) async -> Finding {
        let (users, trials) = await (cloud.users.value ?? [], trials.value)
        if let success = trials.success { return .ok(success.user) }
        guard case .success(let known) = await cloud.instance.value, let first = users.first else {
            return .unknown("what user the image lets in is not known")
        }
        let image = known.images.first?.name ?? known.instance.imageID ?? "its image"
        guard let givenUser, !users.contains(givenUser), isAboutTheUser(trials.failure?.outcome)
        else { return .ok("\(image) lets in \(users.joined(separator: ", "))") }
        return .broken(
            "\(image) lets in \(users.joined(separator: ", ")), and not \(givenUser)",
            .run("ec2sh -l \(shellWord(first)) \(shellWord(host))")
        )
    }

    private func isAboutTheUser(_ outcome: LoginOutcome?) -> Bool {
        switch outcome {
        case .keyRefused, .redirected, .tooManyFailures, .pushFailed: true
        default: false
        }
    }

    private func accepted() async -> Finding {
        let trials = await trials.value
        if let success = trials.success {
            let way = success.way.map { " by \($0.word)" } ?? ""
            let key = success.key.map { " with \($0)" } ?? ""
            return .ok("as \(success.user)\(way)\(key)")
        }
        guard let failure = trials.failure else {
            return .unknown(trials.fault ?? "no login was tried")
        }
        if case .hostKeyRefused(.unknownKey) = failure.outcome { return untried }
        if case .hostKeyRefused(.declined) = failure.outcome { return untried }
        let seen = [failure.tried, failure.pushFailure].compactMap { $0 }
        return .broken(failure.summary, seen: seen, failure.hint)
    }

    private var untried: Finding {
        .note("not tried, as the host key is not known yet", .run("ec2sh \(shellWord(host))"))
    }
}
