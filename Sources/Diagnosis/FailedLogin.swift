internal import AWS
public import Client
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig

/// What AWS knows of a login that has failed since nobody answered.
public struct FailedLogin {
    private let stopped: Stopped
    private let context: Context

    /// Takes a login that failed.
    /// - Parameters:
    ///   - stopped: how it ended.
    ///   - context: what the run shares.
    public init(_ stopped: Stopped, in context: Context) {
        self.stopped = stopped
        self.context = context
    }

    /// Looks what of the instance and its network explains it, for three seconds at most.
    /// - Returns: the first cause; nil where there is none, or nobody may ask.
    public func cause() -> Finding? {
        let options = context.configuration.options
        guard stopped.isUnanswered, context.trace.level >= .info,
            LoginFacts.isInstance(options), let cloud = try? Cloud(in: context), cloud.hasSigns
        else { return nil }
        let facts = CloudFacts(cloud, InstanceTarget(options.ec2Instance ?? options.hostname))
        let (trials, keep) = Fact<Trials>.promised(Trials())
        keep(Trials())
        let checks =
            InstanceChecks(cloud: facts, trials: trials, allowed: options.ec2Ways).all
            + NetworkChecks(cloud: facts, trials: trials, port: options.port).all
        let findings = try? context.poller.wait {
            await Examination(checks, limit: FailedLogin.limit).run()
        }
        return checks.lazy.compactMap { findings?[$0.id] }.first { $0.status == .broken }
    }

    private static let limit = Duration.seconds(3)
}
