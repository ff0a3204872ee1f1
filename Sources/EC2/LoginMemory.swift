public import Faults
internal import Posix

/// What let us in the last time.
public struct RememberedLogin: Sendable, Equatable {
    /// The remote user.
    public var user: String
    /// The fingerprint of the key, `SHA256:…`; nil when it was no key.
    public var key: String?
    /// The key's file; nil when it came from an agent.
    public var keyPath: String?
    /// The way there, as EC2Ways names it; nil when nobody said.
    public var way: String?

    /// Describes a login that worked.
    /// - Parameters:
    ///   - user: the remote user.
    ///   - key: the fingerprint of the key.
    ///   - keyPath: its file.
    ///   - way: the way there, as EC2Ways names it.
    public init(user: String, key: String? = nil, keyPath: String? = nil, way: String? = nil) {
        self.user = user
        self.key = key
        self.keyPath = keyPath
        self.way = way
    }
}

/// Remembers per host what let us in, in files that may vanish at any time.
///
/// One small file per host in a directory that is ours alone, replaced in one step: hundreds of
/// processes at once need no lock. Nothing here ever fails a run: what cannot be read is as good
/// as forgotten, what cannot be written is left, with a note for `-v`.
///
///     ec2sh login 1
///     user ec2-user
///     key SHA256:…
///     path /home/me/.ssh/key.pem
///     way endpoint
public struct LoginMemory: Sendable {
    private let files: CacheDirectory
    /// Where the files are.
    var directory: String { files.path }

    /// Finds the place of the files by the XDG base directory specification.
    /// - Parameters:
    ///   - environment: XDG_CACHE_HOME counts when it is an absolute path.
    ///   - home: the home directory; nil when there is none, which gives nil without XDG's word.
    public init?(environment: [String: String], home: String?) {
        guard let files = CacheDirectory("logins", environment: environment, home: home) else {
            return nil
        }
        self.files = files
    }

    /// Finds what worked for a host.
    /// - Parameters:
    ///   - host: a name, an address or an instance's id.
    ///   - port: the port, since there may be another machine behind it.
    ///   - trace: gets a note when there is something that cannot be used.
    /// - Returns: nil when nothing is known.
    public func recall(host: String, port: Int, trace: Trace) -> RememberedLogin? {
        let path = path(host, port)
        let note = { (text: String) in trace.debug(.debug1, .local, text) }
        guard let bytes = CacheDirectory.read(path, limit: largestFile, note: note) else {
            return nil
        }
        let login = LoginMemory.parse(bytes)
        if login == nil { note("\(path) cannot be understood, not used") }
        return login
    }

    /// Keeps what worked for a host; touches no file when that is known already.
    /// - Parameters:
    ///   - login: what worked.
    ///   - host: a name, an address or an instance's id.
    ///   - port: the port.
    ///   - trace: gets a note when it cannot be kept.
    public func remember(_ login: RememberedLogin, host: String, port: Int, trace: Trace) {
        var login = login
        // Another run may stand in another directory.
        if login.keyPath?.hasPrefix("/") == false { login.keyPath = nil }
        guard let text = LoginMemory.format(login), !host.isEmpty else { return }
        if recall(host: host, port: port, trace: trace) == login { return }
        do throws(SystemError) {
            try files.write(path(host, port), Array(text.utf8))
        } catch {
            trace.debug(.debug1, .local, "the login is not remembered: \(error.summary)")
        }
    }

    private func path(_ host: String, _ port: Int) -> String {
        files.file("\(host.lowercased()):\(port)")
    }

    static func format(_ login: RememberedLogin) -> String? {
        let lines = [
            heading, "user \(login.user)", login.key.map { "key \($0)" },
            login.keyPath.map { "path \($0)" }, login.way.map { "way \($0)" },
        ].compactMap { $0 }
        let isClean = !lines.contains { $0.utf8.contains { $0 < 0x20 } }
        guard isClean, UserName.isPlausible(login.user) else { return nil }
        return lines.joined(separator: "\n") + "\n"
    }

    static func parse(_ bytes: [UInt8]) -> RememberedLogin? {
        guard let text = String(validating: bytes, as: UTF8.self), text.hasSuffix("\n") else {
            return nil
        }
        let lines = text.split(separator: "\n")
        guard lines.first == heading[...] else { return nil }
        var values: [Substring: String] = [:]
        for line in lines.dropFirst() {
            guard let blank = line.firstIndex(of: " ") else { return nil }
            values[line[..<blank]] = String(line[line.index(after: blank)...])
        }
        guard let user = values["user"], UserName.isPlausible(user) else { return nil }
        return RememberedLogin(
            user: user,
            key: values["key"],
            keyPath: values["path"],
            way: values["way"]
        )
    }

    private static let heading = "ec2sh login 1"
    private let largestFile = 16 << 10
}
