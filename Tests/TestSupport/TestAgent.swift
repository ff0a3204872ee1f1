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
        // Two thousand times a thousandth of a second, or ssh-add says that there is none.
        for _ in 0..<2_000 where !FileManager.default.fileExists(atPath: socket) { usleep(1_000) }
        for key in keys {
            try runTool("/usr/bin/ssh-add", ["-q", key], environment: ["SSH_AUTH_SOCK": socket])
        }
    }
}
