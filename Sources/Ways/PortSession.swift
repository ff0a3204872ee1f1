public import AWS
public import Faults
internal import NIOCore
public import Posix

/// A session of Systems Manager that carries many connections to one port of the instance, or to a
/// host that the instance sees; sshd has no part in it.
///
/// Old agents carry one connection after the other: those that come meanwhile wait.
public final class PortSession: Tunnel {
    /// Begins a session.
    /// - Parameters:
    ///   - parameters: the instance, and the port.
    ///   - trace: told each step.
    ///   - caller: gives who asks AWS; called once, beside the loop.
    public init(
        _ parameters: SystemsManagerParameters,
        trace: Trace,
        caller: @escaping @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) {
        switch Result(catching: { () throws(SystemError) in try Mailbox<TunnelEvent>() }) {
        case .success(let mailbox):
            super.init(mailbox, trace: trace, farewell: .milliseconds(1500)) { control in
                await PortSession.carry(parameters, control, caller)
            }
        case .failure(let error): super.init(WayError(local: error), trace: trace)
        }
    }

    private static func carry(
        _ parameters: SystemsManagerParameters,
        _ control: TunnelControl,
        _ caller: @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) async {
        do throws(WayError) {
            let caller = try await TunnelWay.asked(caller)
            if control.isStopped { return }
            let load = await TunnelLoop.made {
                PortLoad { control.tell(.refused) } as any SessionLoad
            }
            defer { load.execute { $0.close() } }
            var run = try await SessionRun(parameters, load, control, caller)
            try await run.carry()
        } catch {
            control.tell(.failed(error))
        }
    }

    /// Begins a connection.
    ///
    /// Nobody tells whether it stands: one that cannot be made just ends.
    /// - Returns: our end of it, non-blocking.
    /// - Throws: ``Posix/SystemError`` when there is no descriptor left.
    public func connect() throws(SystemError) -> Descriptor {
        let pair = try makeSocketPair()
        let near = try pair.near.duplicate()
        try setNonBlocking(near.number)
        control?.order(.connect(HandedDescriptor(try pair.far.duplicate())))
        return near
    }
}
