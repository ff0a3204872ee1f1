import Foundation

/// A real ssh-agent with keys of a test, ended with this value.
public final class TestAgent {
    /// The path for SSH_AUTH_SOCK.
    public let socket: String
    private let process: ChildProcess

    /// Starts an agent and gives it keys.
    /// - Parameters:
    ///   - server: whose directory the socket is made in.
    ///   - keys: paths of private keys without passphrases.
    /// - Throws: when ssh-agent or ssh-add fails.
    public init(_ server: SSHDServer, keys: [String]) throws {
        socket = server.directory.appendingPathComponent("agent").path
        process = try ChildProcess("/usr/bin/ssh-agent", ["-D", "-a", socket])
        for key in keys {
            let arguments = ["-q", key]
            let environment = ["SSH_AUTH_SOCK": socket]
            // The socket is there before it takes connections, and there is no sign of that.
            for _ in 0..<500 {
                let child = try ChildProcess(
                    "/usr/bin/ssh-add",
                    arguments,
                    environment: environment
                )
                if child.waitUntilExit() { break }
                usleep(2_000)
            }
        }
    }
}
