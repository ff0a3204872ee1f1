public import Foundation

/// A real sshd with keys and a configuration of its own, made for one test.
///
/// Each connection is one `sshd -i` on the end of a socket pair, so that tests need no port and
/// run beside each other. The log is for showing when a test fails.
public final class SSHDServer {
    /// Where keys, configuration and log are; removed with the server.
    public let directory: URL
    /// The user who can log in.
    public let user = NSUserName()
    /// The private key that is let in.
    public var clientKey: String { directory.appendingPathComponent("client").path }
    /// The file of keys that are let in.
    public var authorizedKeys: String { directory.appendingPathComponent("authorized").path }

    private var children: [ChildProcess] = []
    private static let sshd = "/usr/sbin/sshd"

    /// Whether there is an sshd on this machine to test with.
    public static var isAvailable: Bool { FileManager.default.isExecutableFile(atPath: sshd) }

    /// Makes keys and the configuration.
    /// - Parameter options: sshd_config lines that come before ours, so that they count.
    /// - Throws: when a file cannot be written or ssh-keygen fails.
    public init(_ options: [String] = []) throws {
        directory = FileManager.default.temporaryDirectory
            .appendingPathComponent("ec2sh-sshd-\(UUID().uuidString)")
        try FileManager.default.createDirectory(
            at: directory,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
        try makeKey("host")
        try makeKey("client")
        try FileManager.default.copyItem(
            atPath: clientKey + ".pub",
            toPath: authorizedKeys
        )
        try FileManager.default.createDirectory(
            atPath: "/run/sshd",
            withIntermediateDirectories: true
        )
        try configure(options)
    }

    /// Writes the configuration anew, for connections made from now on.
    /// - Parameter options: sshd_config lines that come before ours, so that they count.
    /// - Throws: when the file cannot be written.
    public func configure(_ options: [String]) throws {
        let lines =
            options + [
                "HostKey \(directory.path)/host",
                "AuthorizedKeysFile \(authorizedKeys)",
                "PermitRootLogin yes",
                "StrictModes no",
                "UsePAM no",
                "PidFile none",
                "LogLevel DEBUG1",
                "Subsystem sftp internal-sftp",
                "AcceptEnv EC2SH_*",
            ]
        try lines.joined(separator: "\n").appending("\n")
            .write(toFile: configuration, atomically: false, encoding: .utf8)
    }

    deinit {
        children = []
        try? FileManager.default.removeItem(at: directory)
    }

    /// Makes a key pair `name` and `name.pub` in the directory.
    /// - Parameters:
    ///   - name: the file's name.
    ///   - arguments: for ssh-keygen; Ed25519 without a passphrase when empty.
    /// - Returns: the private key's path.
    /// - Throws: when ssh-keygen fails.
    @discardableResult
    public func makeKey(_ name: String, _ arguments: [String] = []) throws -> String {
        let path = directory.appendingPathComponent(name).path
        let kind = arguments.contains("-t") ? [] : ["-t", "ed25519"]
        let passphrase = arguments.contains("-N") ? [] : ["-N", ""]
        try runTool(
            "/usr/bin/ssh-keygen",
            ["-q", "-f", path, "-C", name] + kind + passphrase + arguments
        )
        return path
    }

    /// Lets a key in beside the client's.
    /// - Parameters:
    ///   - path: the private key's path, with `.pub` beside it.
    ///   - options: as in authorized_keys, without the blank after them.
    /// - Throws: when a file cannot be read or written.
    public func authorize(_ path: String, options: String = "") throws {
        let key = try String(contentsOfFile: path + ".pub", encoding: .utf8)
        let old = try String(contentsOfFile: authorizedKeys, encoding: .utf8)
        try (old + (options.isEmpty ? "" : options + " ") + key)
            .write(toFile: authorizedKeys, atomically: false, encoding: .utf8)
    }

    /// Makes a user certificate `PATH-cert.pub`.
    /// - Parameters:
    ///   - path: the private key's path, with `.pub` beside it.
    ///   - authority: the private key of the authority that signs.
    ///   - principals: who it is for, separated by commas.
    /// - Throws: when ssh-keygen fails.
    public func certify(_ path: String, by authority: String, principals: String) throws {
        let arguments = ["-q", "-s", authority, "-I", "test", "-n", principals, path + ".pub"]
        try runTool("/usr/bin/ssh-keygen", arguments)
    }

    /// Starts an sshd for one connection.
    /// - Returns: our end of a socket pair, which the caller has to close.
    /// - Throws: when sshd cannot be started.
    public func connect() throws -> Int32 {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw POSIXError(.EMFILE) }
        defer { close(ends[1]) }
        let arguments = ["-i", "-f", configuration, "-E", logFile]
        children.append(try ChildProcess(SSHDServer.sshd, arguments, stream: ends[1]))
        return ends[0]
    }

    /// What sshd has logged so far.
    public var log: String { (try? String(contentsOfFile: logFile, encoding: .utf8)) ?? "" }

    private var configuration: String { directory.appendingPathComponent("config").path }
    private var logFile: String { directory.appendingPathComponent("log").path }
}
