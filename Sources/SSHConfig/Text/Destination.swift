/// A host with what may stand around it: `user@host:port` or `ssh://user@host:port`.
public struct Destination: Sendable, Equatable {
    /// The user, if named.
    public var user: String?
    /// The host without brackets.
    public var host: String
    /// The port, if named.
    public var port: Int?
}

/// Names of TCP services, for ports given by name.
///
/// C: `getservbyname`.
typealias ServicePorts = (String) -> Int?

extension Destination {
    /// Reads the destination of a command line.
    ///
    /// C: `ssh.c` `main`.
    /// - Returns: nil for what only shows the usage text.
    static func typed(_ text: Bytes, _ services: ServicePorts) -> Destination? {
        if text.starts(with: scheme) { return uri(text, services) }
        guard let at = text.lastIndex(of: UInt8(ascii: "@")) else {
            return Destination(host: LosslessText.string(text))
        }
        if at == text.startIndex { return nil }
        return Destination(
            user: LosslessText.string(text[..<at]),
            host: LosslessText.string(text[(at + 1)...])
        )
    }

    /// Reads one host of ProxyJump.
    ///
    /// C: `parse_user_host_port` in `misc.c`.
    static func jump(_ text: Bytes, _ services: ServicePorts) -> Destination? {
        if text.starts(with: scheme) { return uri(text, services) }
        var rest = text[...]
        var user: String?
        if let at = rest.lastIndex(of: UInt8(ascii: "@")) {
            guard at > rest.startIndex else { return nil }
            user = LosslessText.string(rest[..<at])
            rest = rest[(at + 1)...]
        }
        guard let field = HostField(rest), !field.host.isEmpty, field.delimiter != UInt8(ascii: "/")
        else { return nil }
        var port: Int?
        if !field.rest.isEmpty {
            guard let number = Numbers.port(field.rest, services), number > 0 else { return nil }
            port = number
        }
        return Destination(user: user, host: LosslessText.string(field.bareHost), port: port)
    }

    /// Reads a URI; parameters after `;` are ignored, a path is refused.
    ///
    /// C: `parse_ssh_uri`.
    private static func uri(_ text: Bytes, _ services: ServicePorts) -> Destination? {
        var rest = text.dropFirst(scheme.count)
        var user: String?
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            let name = rest[..<at].prefix { $0 != UInt8(ascii: ";") }
            guard !name.isEmpty, let decoded = percentDecoded(name) else { return nil }
            user = LosslessText.string(decoded)
            rest = rest[(at + 1)...]
        }
        guard let field = HostField(rest), !field.host.isEmpty,
            var domain = DomainName(field.bareHost)
        else { return nil }
        domain.dropTrailingDot()
        var path = field.rest
        var port: Int?
        if field.delimiter == UInt8(ascii: ":"), !path.isEmpty {
            let digits = path.prefix { $0 != UInt8(ascii: "/") }
            guard let number = Numbers.port(digits, services), number > 0 else { return nil }
            port = number
            path = path[digits.endIndex...].dropFirst()
        }
        return path.isEmpty
            ? Destination(user: user, host: LosslessText.string(domain.bytes), port: port) : nil
    }

    private static let scheme = Bytes("ssh://".utf8)

    /// Undoes URI escapes.
    ///
    /// C: `urldecode` in `misc.c`.
    /// - Returns: nil for a bad escape, or one for NUL.
    private static func percentDecoded(_ text: ArraySlice<UInt8>) -> Bytes? {
        var decoded = Bytes()
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): decoded.append(UInt8(ascii: " "))
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst().flatMap(hexDigit),
                    let low = rest.popFirst().flatMap(hexDigit), high | low != 0
                else { return nil }
                decoded.append(high << 4 | low)
            default: decoded.append(byte)
            }
        }
        return decoded
    }

    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        if byte.isDigit { return byte - 0x30 }
        return (0x61...0x66).contains(byte.lowercased) ? byte.lowercased - 0x61 + 10 : nil
    }
}

/// A host up to `:` or `/`, or in brackets.
///
/// C: `hpdelim2` in `misc.c`.
struct HostField {
    /// The host, with its brackets.
    let host: ArraySlice<UInt8>
    /// What ended it, nil at the end of the text.
    let delimiter: UInt8?
    /// What follows that.
    let rest: ArraySlice<UInt8>

    init?(_ text: ArraySlice<UInt8>) {
        let end: Int
        if text.first == UInt8(ascii: "[") {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            end = bracket + 1
        } else {
            end = text.firstIndex { Self.isDelimiter($0) } ?? text.endIndex
        }
        host = text[..<end]
        delimiter = text[end...].first
        rest = text[end...].dropFirst()
        if let delimiter, !Self.isDelimiter(delimiter) { return nil }
    }

    /// The host without brackets around it.
    ///
    /// C: `cleanhostname`.
    var bareHost: ArraySlice<UInt8> {
        host.first == UInt8(ascii: "[") && host.last == UInt8(ascii: "]")
            ? host.dropFirst().dropLast() : host
    }

    private static func isDelimiter(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
    }
}

extension Numbers {
    /// Reads a port, 0 to 65,535, by number or by a service's name.
    ///
    /// C: `a2port` in `misc.c`.
    static func port(_ text: ArraySlice<UInt8>, _ services: ServicePorts) -> Int? {
        if case .number(let port) = whole(text, 0...65_535) { return port }
        return services(LosslessText.string(text))
    }
}
