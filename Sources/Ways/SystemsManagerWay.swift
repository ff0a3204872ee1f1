public import AWS
public import Faults
internal import NIOCore

/// The way through Systems Manager: a session that leads to a port of the instance, or to a shell.
///
/// The agent on the instance makes it; nothing has to be open to the network. A session outlives its websockets: when one breaks, or AWS closes it as it does every hour, the
/// session is taken up again, and not a byte is lost or doubled.
public final class SystemsManagerWay: TunnelWay {
    /// Begins a session.
    /// - Parameters:
    ///   - parameters: the instance, and what the session leads to: a server, a shell or a command.
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
                let isShell = parameters.target.isShell
                let load = await local.with { SingleLoad($0, isShell: isShell) as any SessionLoad }
                var run = try await SessionRun(parameters, load, control, caller)
                try await run.carry()
            } catch {
                control.tell(.failed(error))
            }
        }
    }

    /// Tells a shell the size of its terminal.
    /// - Parameters:
    ///   - columns: width in characters.
    ///   - rows: height in characters.
    public func resize(columns: Int, rows: Int) {
        control?.order(.resize(columns: columns, rows: rows))
    }
}

extension SessionTarget {
    fileprivate var isShell: Bool {
        switch self {
        case .shell, .command: true
        case .server, .port: false
        }
    }
}
