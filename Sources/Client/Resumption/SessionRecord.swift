internal import Arguments
internal import JSONText
internal import Posix

/// What this machine needs to find a session again that it has begun on a host.
///
/// The session's secret is not among it: the host tells that to whoever logs in to the account.
struct SessionRecord: Sendable, Equatable {
    /// The session's id, 32 hexadecimal digits.
    var id: String
    /// The destination as it was typed.
    var destination: String
    /// The flags that lead to the host and into the account, as they were typed.
    var flags: [String]
    /// When it was begun, in seconds since 1970.
    var started: Int
    /// What it runs, empty for a shell.
    var command: String

    /// Flags that say where a host is and how to log in to it; all others are a run's own affair.
    private static let leading: Set<Flag> = [
        .ipv4, .ipv6, .bindInterface, .bindAddress, .cipher, .configurationFile, .pkcs11,
        .identityFile, .jump, .loginName, .mac, .option, .port,
    ]
    private static let files: Set<Flag> = [.configurationFile, .identityFile, .pkcs11]

    /// Describes a session.
    /// - Parameters:
    ///   - id: its id.
    ///   - invocation: what was typed to begin it.
    ///   - command: what it runs, empty for a shell.
    ///   - started: when, in seconds since 1970.
    init(id: String, _ invocation: Invocation, command: String, started: Int) {
        self.id = id
        destination = invocation.destination ?? ""
        flags = invocation.words.flatMap { word -> [String] in
            guard case .flag(let flag, let value) = word, SessionRecord.leading.contains(flag)
            else { return [] }
            let letter = "-\(flag.rawValue)"
            guard let value else { return [letter] }
            return [letter, SessionRecord.files.contains(flag) ? absolute(value) : value]
        }
        self.started = started
        self.command = command
    }

    /// What leads to its host again, behind what is typed now.
    func words() -> [Invocation.Word] {
        Invocation(arguments: ["ec2sh"] + flags + ["--", destination]).words
    }

    // MARK: - As text

    init?(_ bytes: [UInt8]) {
        guard let json = try? JSON.parse(bytes), let id = json["id"]?.string,
            let destination = json["destination"]?.string, !destination.isEmpty,
            let flags = json["flags"]?.array?.compactMap(\.string),
            let started = json["started"]?.integer, let command = json["command"]?.string,
            SessionRecord.isID(id)
        else { return nil }
        self.id = id
        self.destination = destination
        self.flags = flags
        self.started = started
        self.command = command
    }

    var text: String {
        JSON.object([
            "id": JSON(.string(id)),
            "destination": JSON(.string(destination)),
            "flags": JSON(.array(flags.map { JSON(.string($0)) })),
            "started": JSON(.number(Double(started))),
            "command": JSON(.string(command)),
        ]).text + "\n"
    }

    /// Whether a text has the form of a whole id.
    static func isID(_ text: String) -> Bool { text.utf8.count == 32 && isPart(ofID: text) }

    /// Whether a text may be the beginning of an id that is long enough to name one.
    static func isPart(ofID text: String) -> Bool {
        (6...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }
}

/// A path that means the same in any directory.
private func absolute(_ path: String) -> String {
    guard let first = path.first, !"/~%$".contains(first), path != "none" else { return path }
    return workingDirectory().map { "\($0)/\(path)" } ?? path
}
