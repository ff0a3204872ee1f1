internal import Faults
internal import Posix
internal import SSHConfig

/// The forwards that listen on this side (LocalForward, DynamicForward).
final class LocalForwards {
    /// One address that is listened on.
    private struct Open {
        let listener: ForwardListener
        let place: Place
        let isDynamic: Bool
    }

    /// What tells one forward from another when it is cancelled.
    private enum Place: Equatable {
        case tcp(ForwardBinding, port: Int)
        case unix(String)
    }

    private unowned let loggedIn: LoggedIn
    private var open: [Open] = []

    private var options: Options { loggedIn.plan.options }
    private var trace: Trace { loggedIn.context.trace }

    init(over loggedIn: LoggedIn) { self.loggedIn = loggedIn }

    /// Listens for a forward.
    /// - Returns: whether one address at least can be listened on; what failed was said.
    func open(_ forward: Forward) -> Bool {
        let target = "\(forward.destination.name):\(forward.destination.number)"
        switch forward.listener {
        case .tcp(let host, let port):
            let shown = host ?? (options.gatewayPorts ? "*" : "LOCALHOST")
            debug("Local connections to \(shown):\(port) forwarded to remote address \(target)")
            return open(forward, ForwardBinding(host, gatewayPorts: options.gatewayPorts), port)
        case .unix(let path):
            debug("Local connections to \(path):-2 forwarded to remote address \(target)")
            return open(forward, path)
        }
    }

    /// Ends a forward; its connections go on.
    /// - Returns: whether there was one.
    func cancel(_ listener: Forward.Listener, isDynamic: Bool) -> Bool {
        let place: Place =
            switch listener {
            case .tcp(let host, let port):
                .tcp(ForwardBinding(host, gatewayPorts: options.gatewayPorts), port: port)
            case .unix(let path): .unix(path)
            }
        // As in OpenSSH the path of a socket is enough, whatever it leads to.
        let isMeant: (Open) -> Bool = {
            if case .unix = place {
                $0.place == place
            } else {
                $0.place == place && $0.isDynamic == isDynamic
            }
        }
        let meant = open.filter(isMeant)
        open.removeAll(where: isMeant)
        for entry in meant { loggedIn.channels.remove(entry.listener) }
        return !meant.isEmpty
    }

    /// Ends all of them.
    func close() {
        for entry in open { loggedIn.channels.remove(entry.listener) }
        open = []
    }

    // MARK: - Ports

    private func open(_ forward: Forward, _ binding: ForwardBinding, _ port: Int) -> Bool {
        let caller = "channel_setup_fwd_listener_tcpip"
        let addresses: [SocketAddress]
        do throws(NameError) {
            addresses = try binding.addresses(
                port: UInt16(clamping: port),
                family: options.addressFamily.socketFamily
            )
        } catch {
            trace.say(.error, "\(caller): getaddrinfo(\(error.host.prefix(64))): \(error.reason)")
            return false
        }
        var isOpen = false
        for (index, address) in addresses.enumerated() {
            debug("Local forwarding listening on \(address.host) port \(port).")
            do throws(SystemError) {
                let descriptor = try listen(on: address)
                add(descriptor, .tcp(binding, port: port), forward)
                isOpen = true
            } catch {
                // No IPv6 at all is no error, nor that an address is taken as long as one is left.
                let isLast = index == addresses.count - 1
                let isMinor = error.call == "socket" || error.call == "bind" && !isLast
                trace.say(
                    isMinor ? .verbose : .error,
                    "\(error.call) [\(address.host)]:\(port): \(error.reason)"
                )
            }
        }
        if !isOpen { trace.say(.error, "\(caller): cannot listen to port: \(port)") }
        return isOpen
    }

    // MARK: - Unix sockets

    private func open(_ forward: Forward, _ path: String) -> Bool {
        do throws(SystemError) {
            if options.streamLocalBindUnlink {
                do throws(SystemError) { try removeSocket(path) } catch {
                    trace.say(.error, "unlink(\(path)): \(error.reason)")
                }
            }
            let descriptor = try listen(
                onPath: path,
                mask: UInt32(options.streamLocalBindMask)
            )
            debug("Local forwarding listening on path \(path).")
            add(descriptor, .unix(path), forward)
            return true
        } catch {
            let what = error.call == "listen" ? "listen on" : "bind to"
            trace.say(.error, "unix_listener: cannot \(what) path \(path): \(error.reason)")
            return false
        }
    }

    // MARK: - Connections

    private func add(_ descriptor: consuming Descriptor, _ place: Place, _ forward: Forward) {
        let port = forward.listener.number
        let destination = forward.destination
        let listener = ForwardListener(
            descriptor,
            description: "port listener",
            trace: trace
        ) { [unowned self] socket in
            debug(
                "Connection to port \(port) forwarding to \(destination.name) "
                    + "port \(destination.number) requested."
            )
            if case .tcp = place { socket.number.map { try? setNoDelay($0) } }
            ForwardedConnection.begin(
                socket,
                to: destination,
                listeningPort: port,
                over: loggedIn
            )
        }
        open.append(Open(listener: listener, place: place, isDynamic: destination == .socks))
        loggedIn.channels.add(listener)
    }

    private func debug(_ text: String) { trace.debug(.debug1, .channel, text) }
}
