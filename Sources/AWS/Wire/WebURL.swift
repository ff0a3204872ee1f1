/// A URL of `http`, `https`, `ws` or `wss`, taken apart (RFC 3986).
public struct WebURL: Sendable, Equatable {
    /// In lower case.
    public let scheme: String
    /// A name or an address; an IPv6 address without its brackets.
    public let host: String
    /// The one given, or the scheme's own.
    public let port: Int
    /// From the slash on, with the query: what stands in a request line.
    public let target: String
    let user: String?
    let password: String?

    /// Reads a URL.
    /// - Parameter text: with a scheme and a host.
    public init?(_ text: String) {
        guard let colon = text.firstRange(of: "://"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f })
        else { return nil }
        scheme = text[..<colon.lowerBound].lowercased()
        guard let usual = usualPorts[scheme] else { return nil }
        let rest = text[colon.upperBound...].prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let target = String(rest[end...])
        self.target = target.hasPrefix("/") ? target : "/\(target)"
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") {
            let login = authority[..<at].split(
                separator: ":",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            user = login.first.map { percentDecoded(String($0)) }
            password = login.count == 2 ? percentDecoded(String(login[1])) : nil
            authority = authority[authority.index(after: at)...]
        } else {
            user = nil
            password = nil
        }
        guard let (host, port) = WebURL.split(authority, usual: usual) else { return nil }
        self.host = host
        self.port = port
    }

    /// Whether TLS is spoken.
    public var isSecure: Bool { scheme == "https" || scheme == "wss" }

    /// As in a Host header: with the port if it is not the scheme's own.
    public var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == usualPorts[scheme] ? name : "\(name):\(port)"
    }

    /// The target without its query.
    public var path: String { String(target.prefix { $0 != "?" }) }

    private static func split(_ authority: Substring, usual: Int) -> (String, Int)? {
        var host = authority
        var port = Substring()
        if authority.hasPrefix("[") {
            guard let bracket = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<bracket]
            let rest = authority[authority.index(after: bracket)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        if host.isEmpty { return nil }
        if port.isEmpty { return (String(host), usual) }
        guard let number = UInt16(port), number > 0 else { return nil }
        return (String(host), Int(number))
    }
}

private let usualPorts = ["http": 80, "https": 443, "ws": 80, "wss": 443]

/// Undoes `%XX`; what is no `%XX` stays.
func percentDecoded(_ text: String) -> String {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
        let digits = rest.prefix(2)
        if byte == UInt8(ascii: "%"), digits.count == 2, digits.allSatisfy(isHexDigit),
            let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16)
        {
            bytes.append(value)
            rest = rest.dropFirst(2)
        } else {
            bytes.append(byte)
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

private func isHexDigit(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte & ~0x20)
}
