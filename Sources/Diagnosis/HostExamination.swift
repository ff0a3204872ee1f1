internal import AWS
internal import Arguments
internal import Client
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig

/// Everything between this machine and one host, looked at once.
///
/// Logins are tried in the loop's thread, as they need it; everything else is looked at beside it.
/// Nothing is changed, here or elsewhere.
struct HostExamination {
    /// What it has come to.
    struct Outcome {
        /// For people and programs.
        let report: DiagnosisReport
        /// What AWS has told; nil where it has nothing to do with the host.
        let cloud: CloudFacts?
    }

    private let context: Context
    private let invocation: Invocation
    private let options: Options
    private let host: String?
    private let isAboutSafety: Bool

    /// Prepares to look.
    /// - Parameters:
    ///   - context: what the run shares.
    ///   - isAboutSafety: whether what should be safer is looked at, too.
    init(in context: Context, isAboutSafety: Bool = false) {
        self.context = context
        invocation = context.configuration.invocation
        options = context.configuration.options
        host = invocation.destination
        self.isAboutSafety = isAboutSafety
    }

    /// Looks.
    /// - Parameter tell: gets each finding as soon as it is there.
    /// - Returns: what it has come to.
    /// - Throws: what is wrong with AWS's files; ``Posix/SystemError``.
    func run(tell: @escaping (Check, Finding) -> Void = { _, _ in }) throws -> Outcome {
        let cloud = try Cloud(in: context)
        let facts = try cloudFacts(cloud)
        let (trials, keep) = Fact<Trials>.promised(Trials())
        if host == nil { keep(Trials()) }
        let checks = checks(cloud, facts, trials)
        let told = try Inbox<(Check, Finding)> { tell($0.0, $0.1) }
        context.poller.add(told)
        defer { context.poller.remove(told) }
        let send = told.send
        let work = Fact {
            await Examination(checks, limit: HostExamination.limit).run { send(($0, $1)) }
        }
        if host != nil { keep(tryLogins()) }
        let findings = try context.poller.wait { await work.value } ?? [:]
        let report = DiagnosisReport(
            host: host,
            checks,
            findings,
            essential: [host == nil ? "aws.credentials" : "login.accepted"]
        )
        return Outcome(report: report, cloud: facts)
    }

    /// How long all of it may take; packets that vanish have been given up by then.
    private static let limit = Duration.seconds(14)
    /// How long an address, and then the other ways, may take to answer, in seconds; and AWS, of a
    /// name that is most likely none of its.
    private static let patience = (direct: 4, others: 8, lookup: Duration.seconds(3))

    // MARK: - What is looked at

    private var isByName: Bool { host != nil && LoginFacts.isInstance(options) }

    private var isBehindProxy: Bool { options.proxyCommand != nil || !options.proxyJump.isEmpty }

    /// What AWS is asked; nil where it has nothing to do with the host.
    private func cloudFacts(_ cloud: Cloud) throws -> CloudFacts? {
        guard host != nil else { return CloudFacts(cloud, nil) }
        guard options.ec2Host != .no, isByName || cloud.hasSigns && !isBehindProxy else {
            return nil
        }
        let facts = CloudFacts(cloud, InstanceTarget(options.ec2Instance ?? options.hostname))
        if isByName { return facts }
        // A name that is not one of EC2's may stand for an instance all the same.
        let isFound = try context.poller.wait(within: HostExamination.patience.lookup) {
            await facts.instance.value.value != nil
        }
        return isFound == true ? facts : nil
    }

    private func checks(
        _ cloud: Cloud,
        _ facts: CloudFacts?,
        _ trials: Fact<Trials>
    ) -> [Check] {
        let here = HereChecks(
            home: context.user.home,
            user: context.user.id,
            keyFiles: keyFiles,
            agent: context.agentPath(options),
            cloud: facts
        )
        var checks = here.all
        let isInstance = facts != nil && host != nil
        if let facts {
            checks +=
                AWSChecks(
                    cloud: facts,
                    profile: cloud.settings.profileName,
                    isNeeded: host == nil || needsAWS,
                    trials: trials
                ).all
        }
        guard let host else { return checks }
        var before: [Check.ID] = []
        if let facts {
            checks += InstanceChecks(cloud: facts, trials: trials, allowed: options.ec2Ways).all
            checks += NetworkChecks(cloud: facts, trials: trials, port: options.port).all
            before =
                ["aws.credentials", "aws.permissions"] + InstanceChecks.ids + NetworkChecks.ids
        }
        checks += TransportChecks(trials: trials, cloud: facts, before: before).all
        checks +=
            LoginChecks(
                trials: trials,
                cloud: facts,
                givenUser: options.isSet(.user) ? options.user : nil,
                host: host,
                before: before
            ).all
        if let facts {
            checks += WaysChecks(cloud: facts, trials: trials, allowed: options.ec2Ways).all
        }
        checks += InsideChecks(trials: trials, host: host).all
        if let facts {
            if isInstance, isAboutSafety {
                checks += SafetyChecks(cloud: facts, trials: trials, port: options.port).all
            }
        }
        return checks
    }

    /// Whether only AWS can tell where the host is.
    private var needsAWS: Bool {
        if options.ec2Instance != nil { return true }
        switch InstanceTarget(options.hostname).kind {
        case .id, .managed, .tag: return true
        case .address, .dnsName, .name: return false
        }
    }

    private var keyFiles: [(path: String, isNamed: Bool)] {
        let isNamed = options.isSet(.identityFile)
        let tokens = context.configuration.tokens
        // Of what was typed, the options have only what is there.
        let typed = invocation.values(of: .identityFile)
        let paths = typed + options.identityFile.filter { !typed.contains($0) }
        return paths.compactMap { path in
            let file = try? tokens.file(path, in: context.configuration.environment)
            return file.map { ($0, isNamed || typed.contains(path)) }
        }
    }

    // MARK: - Logins

    private func tryLogins() -> Trials {
        var trials = Trials()
        do {
            let ways = options.ec2Ways
            let others = ways.filter { $0 != .direct }
            guard ways.contains(.direct), !isManaged else {
                trials.others = try attempt(ways)
                return trials
            }
            let first = try LoginTrial(
                in: context,
                ways: [.direct],
                patience: HostExamination.patience.direct,
                running: InsideFacts.command
            )
            trials.direct = first
            guard let failure = first.failure, failure.isBeforeServer, first.isInstance,
                !others.isEmpty
            else { return trials }
            if case .notRunning = failure.outcome { return trials }
            trials.others = try attempt(others)
        } catch {
            trials.fault = (error as? any Fault)?.summary ?? "\(error)"
        }
        return trials
    }

    private func attempt(_ ways: [WayName]) throws -> LoginTrial {
        try LoginTrial(
            in: context,
            ways: ways,
            patience: HostExamination.patience.others,
            running: InsideFacts.command
        )
    }

    private var isManaged: Bool {
        if case .managed = InstanceTarget(options.ec2Instance ?? options.hostname).kind {
            return true
        }
        return false
    }
}
