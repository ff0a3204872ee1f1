import Foundation
import TestSupport

@testable import Resume

/// A link to the real remote half: a shell that runs the exec request as sshd would, or its socket.
final class HostLink {
    enum Failure: Error { case system(String) }

    private let number: Int32
    private let process: ChildProcess?

    /// Runs the exec request.
    /// - Parameters:
    ///   - command: its text.
    ///   - shell: the login shell.
    ///   - options: what the shell is called with.
    /// - Throws: when it cannot be started.
    init(
        running command: String = Bootstrap.command,
        shell: String = "/bin/sh",
        options: [String] = ["-c"]
    ) throws {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw Failure.system("socketpair") }
        defer { close(ends[1]) }
        number = ends[0]
        var variables = ProcessInfo.processInfo.environment
        variables["SSH_CONNECTION"] = "127.0.0.1 40000 127.0.0.1 22"
        let arguments = options + (options.isEmpty ? [] : [command])
        process = try ChildProcess(shell, arguments, stream: ends[1], environment: variables)
    }

    /// Connects to the remote half's socket.
    init(socket path: String) throws {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        number = socket(AF_UNIX, kind, 0)
        process = nil
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { place in
            place.copyBytes(from: path.utf8.prefix(place.count - 1))
        }
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard code == 0 else {
            close(number)
            throw Failure.system("connect \(path): \(errno)")
        }
    }

    /// The link breaks off here.
    deinit { close(number) }

    /// Waits until something can be read, or written if that is wanted.
    func wait(writing: Bool, milliseconds: Int32) {
        var wish = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
        if writing { wish.events |= Int16(POLLOUT) }
        _ = poll(&wish, 1, milliseconds)
    }

    /// Reads what is there.
    /// - Returns: nil when there is nothing now, empty at the end.
    func read(most: Int) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: most)
        let count = recv(number, &bytes, most, Int32(MSG_DONTWAIT))
        if count < 0 { return errno == EAGAIN ? nil : [] }
        return Array(bytes.prefix(count))
    }

    /// Writes what is taken now.
    /// - Returns: how many bytes; nil when nobody reads any more.
    func write(_ bytes: some Collection<UInt8>) -> Int? {
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let bytes = Array(bytes)
        let count = send(number, bytes, bytes.count, flags)
        return count < 0 ? (errno == EAGAIN ? 0 : nil) : count
    }
}
