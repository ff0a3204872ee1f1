public import AWS
public import Faults
internal import NIOCore

/// The way through an EC2 Instance Connect Endpoint: a websocket that leads to a port of the
/// instance's private address, without anything on the instance, for an hour at most.
public final class EndpointWay: TunnelWay {
    /// Begins to look for an endpoint.
    /// - Parameters:
    ///   - parameters: the instance.
    ///   - trace: told each step.
    ///   - caller: gives who asks AWS; called once, beside the loop.
    public init(
        _ parameters: EndpointParameters,
        trace: Trace,
        caller: @escaping @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) {
        super.init(trace: trace, farewell: .milliseconds(300)) { number, control in
            do throws(WayError) {
                let local = try await TunnelWay.localEnd(number)
                defer { local.execute { $0.close() } }
                try await carry(parameters, local, control, try await TunnelWay.asked(caller))
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
    _ caller: any ServiceCaller
) async throws(WayError) {
    let request: EndpointRequest
    do throws(ServiceError) {
        let endpoints = try await caller.instanceConnectEndpoints(in: parameters.vpc)
        if control.isStopped { return }
        request = try await EndpointRequest(parameters, endpoints, caller)
    } catch {
        throw WayError(error)
    }
    guard let websocket = request.websocket else { throw request.missing }
    control.say("Connecting through endpoint \(request.endpoint) [\(websocket.url.host)].")
    let ended = TunnelLoop.loop.makePromise(of: WebSocketError?.self)
    let tunnel = await local.with { local in
        EndpointTunnel(local, ended: ended) { control.tell(.opened) }
    }
    control.onStop { tunnel.execute { $0.stop() } }
    do throws(WebSocketError) {
        try await websocket.open(
            caller.access,
            parameters.timing,
            for: await tunnel.with { $0 as any WebSocketUser }
        )
    } catch {
        ended.succeed(nil)
        throw request.fault(error)
    }
    if !parameters.awaitsGreeting { control.tell(.opened) }
    if let error = try? await ended.futureResult.get() { throw request.fault(error) }
}
