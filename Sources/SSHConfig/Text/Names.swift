/// A domain name that was checked.
///
/// C: `valid_domain` in `misc.c`.
struct DomainName {
    /// Why a name is none, in OpenSSH's words.
    enum Problem: Error {
        case empty
        case badStart
        case consecutiveDots
        case badCharacter

        func words(_ name: some Sequence<UInt8>) -> String {
            let shown = "domain name \"\(LosslessText.string(Array(name.prefix(100))))\""
            return switch self {
            case .empty: "empty domain name"
            case .badStart: "\(shown) starts with invalid character"
            case .consecutiveDots: "\(shown) contains consecutive separators"
            case .badCharacter: "\(shown) contains invalid characters"
            }
        }
    }

    private(set) var bytes: Bytes

    init?(_ name: ArraySlice<UInt8>) {
        guard Self.problem(name) == nil else { return nil }
        bytes = Array(name)
    }

    static func problem(_ name: some Collection<UInt8>) -> Problem? {
        guard let first = name.first else { return .empty }
        guard first.isLetter || first.isDigit else { return .badStart }
        var last: UInt8?
        for byte in name {
            let isDot = byte == UInt8(ascii: ".")
            if isDot, last == byte { return .consecutiveDots }
            let isAllowed =
                isDot || byte.isLetter || byte.isDigit || byte == UInt8(ascii: "-")
                || byte == UInt8(ascii: "_")
            if !isAllowed { return .badCharacter }
            last = byte
        }
        return nil
    }

    mutating func dropTrailingDot() {
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
    }
}

/// What names on the command line may hold, so that they are harmless in commands.
enum SafeNames {
    /// C: `ssh_valid_hostname` in `readconf.c`.
    static func isHost(_ name: Bytes) -> Bool {
        name.first != UInt8(ascii: "-")
            && !name.contains {
                $0.isSpace || $0.isControl || "'`\"$\\;&<>|(){},".utf8.contains($0)
            }
    }

    /// C: `ssh_valid_ruser` in `readconf.c`.
    static func isUser(_ name: Bytes) -> Bool {
        if name.first == UInt8(ascii: "-") || name.last == UInt8(ascii: "\\") { return false }
        if name.contains(where: { $0.isControl || "'`\";&<>|(){}".utf8.contains($0) }) {
            return false
        }
        return !zip(name, name.dropFirst()).contains { $0.isSpace && $1 == UInt8(ascii: "-") }
    }

    /// C: `valid_env_name` in `misc.c`.
    static func isVariable(_ name: ArraySlice<UInt8>) -> Bool {
        !name.isEmpty
            && name.allSatisfy { $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "_") }
    }
}
