internal import Faults
internal import Posix

/// One socket on its way to one address.
final class Connection {
    /// How far it is.
    enum State {
        case connecting
        case connected
        /// Why it never will be connected; nil when it was not even tried.
        case failed(SystemError?)
    }

    let address: SocketAddress
    /// When ssh's ConnectTimeout gives it up; nil when it is connected or that is not set.
    private(set) var deadline: Instant?
    private var state = State.connecting
    private var socket: Descriptor?
    private var slot: PollSet.Slot?

    /// Begins to connect; what is wrong on this side is said at once.
    init(
        to address: SocketAddress,
        from own: OwnAddress,
        _ parameters: DirectParameters,
        _ trace: Trace,
        now: Instant
    ) {
        self.address = address
        deadline = parameters.timeout.map { now + $0 }
        do throws(OwnAddress.Refusal) {
            socket = try makeSocket(address.family, own, parameters, trace)
        } catch {
            trace.say(error.level, error.line)
            state = .failed(nil)
            return
        }
        guard let number else { return }
        do throws(SystemError) {
            if case .done = try beginConnecting(number, to: address) { state = .connected }
        } catch {
            state = .failed(error)
        }
    }

    func watch(_ set: inout PollSet) {
        slot = number.map { set.watch($0, .write) }
    }

    /// Looks at what happened; `set` is nil when that was looked at before.
    /// - Returns: how far it is.
    func update(_ set: PollSet?, now: Instant) -> State {
        guard case .connecting = state, let number else { return state }
        if let set, !set[slot].isEmpty {
            do throws(SystemError) {
                try finishConnecting(number)
                state = .connected
            } catch {
                state = .failed(error)
            }
        } else if let deadline, now >= deadline {
            state = .failed(.timedOut("connect", address.host))
        }
        return state
    }

    /// Hands over the socket, once.
    func take() -> Descriptor? { socket.take() }

    private var number: Int32? {
        switch socket {
        case .some(let socket): socket.number
        case .none: nil
        }
    }
}

/// Makes a socket as sshconnect.c's `ssh_create_socket` does.
private func makeSocket(
    _ family: SocketFamily,
    _ own: OwnAddress,
    _ parameters: DirectParameters,
    _ trace: Trace
) throws(OwnAddress.Refusal) -> Descriptor {
    let socket: Descriptor
    do throws(SystemError) {
        socket = try makeStreamSocket(family)
    } catch {
        throw OwnAddress.Refusal(level: .error, line: "socket: \(error.reason)")
    }
    if let value = parameters.trafficClass { try? setTrafficClass(socket.number, value) }
    guard let ownAddress = try own.address(family) else { return socket }
    do throws(SystemError) {
        try bindSocket(socket.number, to: ownAddress)
    } catch {
        throw OwnAddress.Refusal(level: .error, line: "bind \(ownAddress.host): \(error.reason)")
    }
    trace.say(.debug1, "debug1: ssh_create_socket: bound to \(ownAddress.host)")
    return socket
}
