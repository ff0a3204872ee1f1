import Foundation

/// A real ssh-agent with keys of a test, ended with this value.
public final class TestAgent {
    /// The path for SSH_AUTH_SOCK.
    public let socket: String
    private let process = Process()

    /// Starts an agent and gives it keys.
    /// - Parameters:
    ///   - server: whose directory the socket is made in.
    ///   - keys: paths of private keys without passphrases.
    /// - Throws: when ssh-agent or ssh-add fails.
    public init(_ server: SSHDServer, keys: [String]) throws {
        socket = server.directory.appendingPathComponent("agent").path
        process.executableURL = URL(fileURLWithPath: "/usr/bin/ssh-agent")
        process.arguments = ["-D", "-a", socket]
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning && !FileManager.default.fileExists(atPath: socket) {
            usleep(1_000)
        }
        for key in keys {
            try runTool("/usr/bin/ssh-add", ["-q", key], environment: ["SSH_AUTH_SOCK": socket])
        }
    }

    deinit { process.terminate() }
}

/// Runs a program to its end.
func runTool(
    _ path: String,
    _ arguments: [String],
    environment: [String: String]? = nil
) throws {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    if let environment { process.environment = environment }
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else { throw CocoaError(.executableLoad) }
}
