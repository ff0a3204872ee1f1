/// What all known_hosts files of a run say, in the order in which they are looked through.
///
/// Nothing here touches a file: who has read them gives their bytes.
public struct KnownHosts: Sendable {
    /// Where a file comes from.
    public enum Origin: Sendable, Equatable {
        /// UserKnownHostsFile.
        case user
        /// GlobalKnownHostsFile.
        case system
        /// KnownHostsCommand's output.
        case command
    }

    /// One file's bytes.
    public struct File: Sendable {
        /// The path messages name; for a command `KnownHostsCommand-` and the reason for its run.
        public let path: String
        /// All of it.
        public let bytes: [UInt8]
        /// Where it comes from.
        public let origin: Origin
        /// Why it could not be read although it is there; its bytes are empty then.
        public let problem: String?

        /// Describes a file that was read, or could not be.
        /// - Parameters:
        ///   - path: the path messages name.
        ///   - bytes: all of it; empty when it could not be read.
        ///   - origin: where it comes from.
        ///   - problem: why it could not be read; nil when it was, and when it is not there.
        public init(_ path: String, _ bytes: [UInt8], _ origin: Origin, problem: String? = nil) {
            self.path = path
            self.bytes = bytes
            self.origin = origin
            self.problem = problem
        }
    }

    /// In order: the user's, the system's, a command's.
    public private(set) var files: [File]

    /// Takes files in the order in which they count.
    public init(_ files: [File]) { self.files = files }

    /// Finds what is known about a host.
    ///
    /// C: `load_hostkeys`.
    /// - Parameters:
    ///   - name: as ``KnownHostsName/of(_:port:)`` writes it.
    ///   - note: told of each line about the host that cannot be understood, as OpenSSH words it.
    /// - Returns: the entries of all files in order.
    public func lookUp(_ name: String, note: (String) -> Void = { _ in }) -> KnownHostsEntries {
        let host = Array(name.utf8)
        var found: [KnownHostsEntry] = []
        for file in files {
            file.forEachLine { number, line in
                let matches = KnownHostsName.matches(line.names, host)
                if matches == false { return }
                guard matches == true, let key = line.key() else {
                    note("\(file.path):\(number): parse error in hostkeys file")
                    return
                }
                found.append(
                    KnownHostsEntry(line.marker, key, file.path, line: number, file.origin)
                )
            }
        }
        return KnownHostsEntries(name: name, found)
    }

    /// Finds the other names a key stands under, for the question whether to trust it.
    ///
    /// C: `hostkeys_find_by_key`.
    /// - Parameters:
    ///   - key: the key in question.
    ///   - host: the name it was shown for; lines about it do not count.
    ///   - home: the home directory, written `~` in the result; empty for none.
    /// - Returns: `file:line: names` each, where hashed names are called `[hashed name]`.
    public func otherNames(of key: HostKey, besides host: String, home: String) -> [String] {
        let host = Array(host.utf8)
        var names: [String] = []
        for file in files where file.origin != .command {
            let path = abbreviate(file.path, home: home)
            file.forEachLine { number, line in
                guard line.marker == .none, KnownHostsName.matches(line.names, host) == false,
                    line.key() == key
                else { return }
                let isHashed = line.names.starts(with: Array("|1|".utf8))
                let shown = isHashed ? "[hashed name]" : String(decoding: line.names, as: UTF8.self)
                names.append("\(path):\(number): \(shown)")
            }
        }
        return names
    }
}

extension KnownHosts.File {
    /// Goes through the entries, with the number of each line, from 1.
    fileprivate func forEachLine(_ body: (Int, KnownHostsLine) -> Void) {
        var rest = bytes[...]
        var number = 0
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\n") }
            rest = rest.dropFirst(line.count + 1)
            number += 1
            if case .entry(let entry) = KnownHostsLine.parse(line) { body(number, entry) }
        }
    }
}

/// Writes a path under the home directory with `~`.
///
/// C: `try_tilde_unexpand`.
private func abbreviate(_ path: String, home: String) -> String {
    guard path.hasPrefix("/"), !home.isEmpty, path.hasPrefix(home) else { return path }
    let rest = path.dropFirst(home.count)
    guard home.hasSuffix("/") || rest.hasPrefix("/") else { return path }
    return "~/" + (rest.hasPrefix("/") ? rest.dropFirst() : rest)
}
