internal import SSHConfig

extension MuxForward {
    /// Puts a forwarding as it was configured into the protocol's form.
    /// - Parameters:
    ///   - forward: the forwarding.
    ///   - isRemote: whether it listens on the server's side.
    init(_ forward: Forward, isRemote: Bool) {
        switch forward.listener {
        case .tcp(let host, let port):
            listenHost = host.map { $0.isEmpty ? "*" : $0 } ?? ""
            listenPort = UInt32(clamping: port)
        case .unix(let path):
            listenHost = path
            listenPort = MuxForward.path
        }
        switch forward.destination {
        case .tcp(let host, let port):
            connectHost = host
            connectPort = UInt32(clamping: port)
        case .unix(let path):
            connectHost = path
            connectPort = MuxForward.path
        case .socks:
            // What OpenSSH's own parser leaves there.
            connectHost = "socks"
            connectPort = 0
        }
        if isRemote {
            kind = MuxForward.remote
        } else {
            kind = forward.destination == .socks ? MuxForward.dynamic : MuxForward.local
        }
    }

    /// The forwarding that a client means.
    /// - Returns: nil when it makes no sense.
    var forward: Forward? {
        guard MuxForward.kinds.contains(kind) else { return nil }
        let isDynamic = kind == MuxForward.dynamic
        let listener: Forward.Listener
        if listenPort == MuxForward.path {
            if isDynamic || listenHost.isEmpty { return nil }
            listener = .unix(path: listenHost)
        } else {
            listener = .tcp(host: listenHost.isEmpty ? nil : listenHost, port: Int(listenPort))
        }
        if isDynamic || (kind == MuxForward.remote && connectPort == 0) {
            return Forward(listener: listener, destination: .socks)
        }
        if connectHost.isEmpty || connectPort == 0 { return nil }
        let isPath = connectPort == MuxForward.path
        return Forward(
            listener: listener,
            destination: isPath
                ? .unix(path: connectHost) : .tcp(host: connectHost, port: Int(connectPort))
        )
    }

    /// As OpenSSH's log has it.
    /// - Parameter gatewayPorts: whether a listener without a host takes connections from anywhere.
    /// - Returns: such as `local forward LOCALHOST:8080 -> web:80`.
    func description(gatewayPorts: Bool) -> String {
        let anyone = gatewayPorts && kind != MuxForward.remote ? "*" : "LOCALHOST"
        let from = "\(listenHost.isEmpty ? anyone : listenHost):\(Int32(bitPattern: listenPort))"
        let to = "\(connectHost):\(Int32(bitPattern: connectPort))"
        return switch kind {
        case MuxForward.dynamic: "dynamic forward \(from) -> *"
        case MuxForward.remote: "remote forward \(from) -> \(to)"
        default: "local forward \(from) -> \(to)"
        }
    }
}
