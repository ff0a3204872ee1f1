public import AWS
public import Faults

/// The way through Systems Manager: a session that leads to a port of the instance, by the agent on
/// it; nothing has to be open to the network.
///
/// A session outlives its websockets: when one breaks, or AWS closes it as it does every hour, the
/// session is taken up again, and not a byte is lost or doubled.
public final class SystemsManagerWay: TunnelWay {
    /// Begins a session.
    /// - Parameters:
    ///   - parameters: the instance.
    ///   - trace: told each step.
    ///   - caller: gives who asks AWS; called once, beside the loop.
    public init(
        _ parameters: SystemsManagerParameters,
        trace: Trace,
        caller: @escaping @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) {
        super.init(trace: trace, farewell: .milliseconds(1500)) { number, control in
            do throws(WayError) {
                let local = try await TunnelWay.localEnd(number)
                defer { local.execute { $0.close() } }
                let caller = try await TunnelWay.asked(caller)
                if control.isStopped { return }
                var run = try await SessionRun(parameters, local, control, caller)
                try await run.carry()
            } catch {
                control.tell(.failed(error))
            }
        }
    }
}
