/// The host keys that an instance has listed when Systems Manager had it print its
/// `/etc/ssh/ssh_host_*_key.pub`.
public struct ListedHostKeys: Sendable, Equatable {
    /// Whole keys, in SSH's encoding.
    public let keys: [[UInt8]]

    /// The command that lists them.
    public static let command = "cat /etc/ssh/ssh_host_*_key.pub"

    /// Reads what the command has put out.
    /// - Parameter output: lines as in a public key file; others do not count.
    public init(output: String) {
        let lines = output.utf8.prefix(mostBytes).split { $0 == 0x0a || $0 == 0x0d }
        let found = lines.compactMap { PublicKeyBlob(line: String(decoding: $0, as: UTF8.self)) }
        keys = found.prefix(mostKeys).map(\.bytes)
    }

    /// Judges the key a server has shown.
    /// - Parameter blob: the key in SSH's encoding.
    /// - Returns: what the list says of it.
    public func judge(_ blob: [UInt8]) -> ConsoleHostKeys.Verdict {
        if keys.contains(blob) { return .proven }
        guard let key = PublicKeyBlob(blob) else { return .silent }
        let isOfKind = keys.contains { PublicKeyBlob($0)?.algorithm == key.algorithm }
        return isOfKind ? .contradicted : .silent
    }
}

/// GetCommandInvocation gives the first 24,000 characters.
private let mostBytes = 64 << 10
private let mostKeys = 16
