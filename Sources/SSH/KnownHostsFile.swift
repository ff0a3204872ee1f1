public import Faults
public import Posix

extension KnownHosts {
    /// Reads the files of a run; one that is not there is as good as an empty one.
    /// - Parameters:
    ///   - user: UserKnownHostsFile, expanded; the single word `none` means no file.
    ///   - system: GlobalKnownHostsFile, likewise.
    ///   - trace: told of files that are not read.
    /// - Returns: the files in order, the user's first.
    public static func load(user: [String], system: [String], trace: Trace) -> KnownHosts {
        KnownHosts(
            paths(user).map { read($0, .user, trace) }
                + paths(system).map { read($0, .system, trace) }
        )
    }

    /// The files a keyword's words name.
    /// - Parameter words: the keyword's value.
    /// - Returns: the words, but for `none`.
    public static func paths(_ words: [String]) -> [String] {
        words.first?.lowercased() == "none" ? [] : words
    }

    /// With what a KnownHostsCommand has put out, after the files.
    /// - Parameters:
    ///   - output: its lines.
    ///   - invocation: why it was run: `ORDER`, `HOSTNAME` or `ADDRESS`.
    /// - Returns: these files and the command's lines after them.
    public func adding(output: [UInt8], invocation: String) -> KnownHosts {
        KnownHosts(files + [File("KnownHostsCommand-\(invocation)", output, .command)])
    }

    private static func read(_ path: String, _ origin: Origin, _ trace: Trace) -> File {
        do throws(SystemError) {
            return File(path, try readFile(path).bytes, origin)
        } catch {
            trace.debug(.debug1, .trust, "load_hostkeys: fopen \(path): \(error.reason)")
            return File(path, [], origin, problem: error.isNotFound ? nil : error.reason)
        }
    }
}

/// A key that is to be written down for a host.
public struct KnownHostsAddition: Sendable {
    /// The names, each as ``KnownHostsName/of(_:port:)`` writes it.
    public let names: [String]
    /// The key.
    public let key: HostKey
    /// HashKnownHosts.
    public let isHashed: Bool

    /// Describes what is to be written.
    /// - Parameters:
    ///   - names: the host's name, and its address where both are to be known.
    ///   - key: the key.
    ///   - isHashed: whether the names are to be hidden, which gives each a line of its own.
    public init(names: [String], key: HostKey, isHashed: Bool) {
        self.names = names
        self.key = key
        self.isHashed = isHashed
    }

    /// The lines.
    ///
    /// C: `write_host_entry`.
    /// - Parameter makeSalt: gives 20 random bytes for each hashed name.
    /// - Returns: the bytes to add, each line with its end.
    func lines(makeSalt: () -> [UInt8] = randomSalt) -> [UInt8] {
        let names = names.map { Array($0.lowercased().utf8) }
        let columns =
            isHashed
            ? names.map { KnownHostsName.hashed($0, salt: makeSalt()) }
            : [Array(names.joined(separator: [UInt8(ascii: ",")]))]
        return columns.flatMap { $0 + Array(" \(key.line)\n".utf8) }
    }

    /// Writes the lines at the end of a file; the file is as before when that fails.
    ///
    /// `~/.ssh` is made when the file belongs there and it is missing.
    ///
    /// C: `add_host_to_hostfile`, `hostfile_create_user_ssh_dir`.
    /// - Parameters:
    ///   - path: the first of UserKnownHostsFile, expanded.
    ///   - home: the home directory; empty when there is none.
    /// - Throws: ``SystemError``, with the path that could not be made or written.
    public func append(to path: String, home: String) throws(SystemError) {
        let directory = "\(home)/.ssh"
        if !home.isEmpty, path.hasPrefix("\(directory)/"), !isThere(directory) {
            try makeDirectory(directory)
        }
        let newline = UInt8(ascii: "\n")
        try appendToFile(path) { last in
            (last ?? newline) == newline ? lines() : [newline] + lines()
        }
    }
}

private func isThere(_ path: String) -> Bool { (try? fileFacts(path: path)) != nil }

private func randomSalt() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<20).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}
