internal import Faults
internal import Posix

/// Connects to where a channel of the server's leads on this side, without waiting.
final class LocalTarget {
    /// A place on this side, or one that can be reached from here.
    enum Place: Equatable {
        /// A TCP port.
        case tcp(host: String, port: UInt16)
        /// A Unix socket.
        case unix(path: String)
    }

    private enum Phase {
        case lookup(NameLookup)
        case connecting(SocketEnd)
        case failed(String)
    }

    private let place: Place
    private let trace: Trace
    private var phase: Phase
    private var addresses: ArraySlice<SocketAddress> = []
    private var slot: PollSet.Slot?

    /// Begins.
    /// - Parameters:
    ///   - place: where to.
    ///   - family: the only family of addresses wanted; nil for both.
    ///   - trace: the run's trace.
    init(_ place: Place, family: SocketFamily?, trace: Trace) {
        self.place = place
        self.trace = trace
        phase = .failed("")
        switch place {
        case .tcp(let host, let port):
            do throws(SystemError) {
                phase = .lookup(try NameLookup(NameQuery(host: host, port: port, family: family)))
            } catch {
                phase = .failed("connect_to \(host.prefix(100)): \(error.reason)")
            }
            // An address in digits is known at once.
            takeAddresses()
        case .unix(let path):
            guard let address = SocketAddress(path: path) else {
                let error = SystemError.socketPathTooLong(path)
                phase = .failed("\(path.prefix(100)): \(error.reason)")
                return
            }
            addresses = [address]
            connectNext(after: nil)
        }
    }

    /// What became of it.
    enum Outcome {
        /// A connected socket.
        case connected(SocketEnd)
        /// A line that says why there is none.
        case failed(String)
    }

    func watch(_ set: inout PollSet) {
        slot = nil
        switch phase {
        case .lookup(let lookup): slot = lookup.number.map { set.watch($0, .read) }
        case .connecting(let socket): slot = socket.number.map { set.watch($0, .write) }
        case .failed: break
        }
    }

    /// Goes on.
    /// - Parameter set: what happened.
    /// - Returns: what became of it, once that is known.
    func step(_ set: PollSet) -> Outcome? {
        switch phase {
        case .lookup: takeAddresses()
        case .connecting(let socket):
            guard !set[slot].isEmpty, let number = socket.number else { return nil }
            do throws(SystemError) {
                try finishConnecting(number)
                trace.debug(.debug1, .channel, "connected to \(host.prefix(100)) port \(port)")
                return .connected(socket)
            } catch {
                trace.debug(.debug1, .channel, "connection failed: \(error.reason)")
                connectNext(after: "connect_to \(host.prefix(100)) port \(port): failed.")
            }
        case .failed: break
        }
        slot = nil
        if case .failed(let line) = phase { return .failed(line) }
        return nil
    }

    /// Why there will be no connection, once that is known; no event tells of it.
    var failure: String? {
        if case .failed(let line) = phase { line } else { nil }
    }

    private func takeAddresses() {
        guard case .lookup(let lookup) = phase, let result = lookup.result else { return }
        switch result {
        case .failure(let error):
            let host = error.host.prefix(100)
            phase = .failed("connect_to \(host): unknown host (\(error.reason))")
        case .success(let answer):
            addresses = answer.addresses[...]
            connectNext(after: nil)
        }
    }

    /// Tries the addresses that are left.
    /// - Parameter line: what is said when there are none; nil for the last error.
    private func connectNext(after line: String?) {
        var line = line
        while let address = addresses.popFirst() {
            do throws(SystemError) {
                let descriptor = try makeStreamSocket(address.family)
                _ = try beginConnecting(descriptor.number, to: address)
                if address.family != .local { try? setNoDelay(descriptor.number) }
                phase = .connecting(try SocketEnd(descriptor))
                return
            } catch {
                trace.debug(.debug1, .channel, "\(address.host): \(error.reason)")
                line = "connect to \(host.prefix(100)) port \(port) failed: \(error.reason)"
            }
        }
        phase = .failed(line ?? "connect_to \(host.prefix(100)) port \(port): failed.")
    }

    private var host: String {
        switch place {
        case .tcp(let host, _): host
        case .unix(let path): path
        }
    }

    /// OpenSSH's number for a Unix socket (PORT_STREAMLOCAL) stands in its messages.
    private var port: Int {
        switch place {
        case .tcp(_, let port): Int(port)
        case .unix: -2
        }
    }
}
