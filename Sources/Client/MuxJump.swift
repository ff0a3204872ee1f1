internal import Posix
internal import SSHConfig

extension MuxClient {
    /// Goes on from a jump host by the connection of a master that is there already, so that
    /// whoever has logged in there, with a second factor perhaps, need not do so again.
    /// - Returns: the end of a socket that leads to the target of the plan's `-W`; nil when there
    ///   is no master.
    /// - Throws: ``MuxFault`` when the master refuses.
    func reach() throws -> Reached? {
        guard case .forward(let host, let port) = plan.task,
            let link = try connect(isCommand: false)
        else { return nil }
        defer { link.leave() }
        let pair = try makeSocketPair()
        let id = link.send(passing: [pair.far.number, pair.far.number]) {
            .newStdioForward(id: $0, host: host, port: UInt32(clamping: port))
        }
        guard try link.isWelcome(), let reply = try link.reply() else { return nil }
        let function = "mux_client_request_stdio_fwd"
        try reply.check(id: id, in: function)
        guard case .sessionOpened = reply else {
            throw MuxFault("Stdio forwarding request failed: \(reply.reason ?? reply.typeText)")
        }
        return Reached(descriptor: pair.near, address: nil, carrier: MuxCarrier(link))
    }
}

/// Keeps the control socket open: the master takes its end for ours.
private final class MuxCarrier: Carrier {
    private var link: MuxLink?

    init(_ link: MuxLink) { self.link = link }

    func close() { link = nil }
}
