public import Faults
internal import SSH

/// Why a server's key was not trusted; the connection has to end.
public enum HostKeyRefusal: Fault, Equatable {
    /// Nothing is known about the host, and nobody may or could be asked.
    case unknownKey(host: String)
    /// The user said no, or something that means it.
    case declined(host: String)
    /// The host has shown another key than the one that is known.
    case changedKey(host: String, path: String, line: Int)
    /// The key is marked as revoked.
    case revokedKey(host: String)
    /// AWS, or what was seen of the instance before, says that the instance has another key.
    case disproven(host: String)
    /// The server that was logged in to a moment ago has come back with another key.
    case exchanged(host: String)
    /// Forwarding was given up for want of trust, and ExitOnForwardFailure is set.
    case forwardingDisabled
    /// KnownHostsCommand ended badly; how.
    case commandFailed(String)

    static func unknown(_ found: HostKeyCase) -> HostKeyRefusal { .unknownKey(host: found.name) }
    static func declined(_ found: HostKeyCase) -> HostKeyRefusal { .declined(host: found.name) }
    static func revoked(_ found: HostKeyCase) -> HostKeyRefusal { .revokedKey(host: found.name) }
    static func changed(_ found: HostKeyCase, _ entry: KnownHostsEntry) -> HostKeyRefusal {
        .changedKey(host: found.name, path: entry.path, line: entry.line)
    }

    /// Always ``Faults/Layer/trust``.
    public var layer: Layer { .trust }

    /// What was seen.
    public var summary: String {
        switch self {
        case .unknownKey(let host): "no host key is known for \(host)"
        case .declined(let host): "the host key of \(host) was not accepted"
        case .changedKey(let host, let path, let line):
            "the host key of \(host) is not the one in \(path):\(line)"
        case .revokedKey(let host): "the host key of \(host) is revoked"
        case .disproven(let host):
            "the server that answers for \(host) has a host key that the instance does not have"
        case .exchanged(let host):
            "the server that answers for \(host) now has another host key than before the break"
        case .forwardingDisabled: "forwarding is disabled, as the host key is not trusted"
        case .commandFailed(let how): how
        }
    }

    /// OpenSSH's last line; those before it have been said already.
    public var words: [String]? {
        switch self {
        case .forwardingDisabled:
            ["Error: forwarding disabled due to host key check failure"]
        case .commandFailed(let how): [how, "KnownHostsCommand failed"]
        case .disproven, .exchanged: ["ec2sh: error: \(summary)", "Host key verification failed."]
        default: ["Host key verification failed."]
        }
    }
}
