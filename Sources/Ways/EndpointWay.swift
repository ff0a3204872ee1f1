public import AWS
public import Faults
internal import NIOCore

/// The way through an EC2 Instance Connect Endpoint: a websocket that leads to a port of the
/// instance's private address, without anything on the instance, for an hour at most.
public final class EndpointWay: TunnelWay {
    /// Gives the endpoints of the instance's VPC that work, and whether that is remembered and may be
    /// wrong by now; asked for fresh ones it asks AWS.
    public typealias Finder =
        @Sendable (_ isFresh: Bool) async throws(ServiceError) -> (
            endpoints: [InstanceConnectEndpoint], isRemembered: Bool
        )

    /// Begins to look for an endpoint.
    /// - Parameters:
    ///   - parameters: the instance.
    ///   - trace: told each step.
    ///   - endpoints: gives the VPC's endpoints, beside the loop; nil asks AWS.
    ///   - caller: gives who asks AWS; called once, beside the loop.
    public init(
        _ parameters: EndpointParameters,
        trace: Trace,
        endpoints: Finder? = nil,
        caller: @escaping @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) {
        super.init(trace: trace, farewell: .milliseconds(300)) { number, control in
            do throws(WayError) {
                let local = try await TunnelWay.localEnd(number)
                defer { local.execute { $0.close() } }
                let caller = try await TunnelWay.asked(caller)
                let finder: Finder =
                    endpoints ?? { _ throws(ServiceError) in
                        (try await caller.instanceConnectEndpoints(in: parameters.vpc), false)
                    }
                try await carry(parameters, local, control, finder, caller)
            } catch {
                control.tell(.failed(error))
            }
        }
    }
}

private func carry(
    _ parameters: EndpointParameters,
    _ local: NIOLoopBound<LocalEnd>,
    _ control: TunnelControl,
    _ finder: EndpointWay.Finder,
    _ caller: any ServiceCaller
) async throws(WayError) {
    let ended = TunnelLoop.loop.makePromise(of: WebSocketError?.self)
    let tunnel = await local.with { local in
        EndpointTunnel(local, ended: ended) { control.tell(.opened) }
    }
    control.onStop { tunnel.execute { $0.stop() } }
    var isFresh = false
    while true {
        let request: EndpointRequest
        let isRemembered: Bool
        do throws(ServiceError) {
            let found = try await finder(isFresh)
            isRemembered = found.isRemembered
            request = try await EndpointRequest(parameters, found.endpoints, caller)
        } catch {
            ended.succeed(nil)
            throw WayError(error)
        }
        if control.isStopped { return ended.succeed(nil) }
        guard let websocket = request.websocket else {
            ended.succeed(nil)
            throw request.missing
        }
        control.say("Connecting through endpoint \(request.endpoint) [\(websocket.url.host)].")
        do throws(WebSocketError) {
            let user = await tunnel.with { $0 as any WebSocketUser }
            try await websocket.open(caller.access, parameters.timing, for: user)
        } catch {
            // What was remembered may be gone by now.
            if isRemembered, !isFresh {
                control.say("Endpoint \(request.endpoint): \(error.summary); asking AWS again")
                isFresh = true
                continue
            }
            ended.succeed(nil)
            throw request.fault(error)
        }
        if !parameters.awaitsGreeting { control.tell(.opened) }
        if let error = try? await ended.futureResult.get() { throw request.fault(error) }
        return
    }
}
