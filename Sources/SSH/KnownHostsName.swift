internal import Crypto

/// A host's name as it is looked up and written: `name`, or `[name]:port` when not on port 22.
public enum KnownHostsName {
    /// Puts name and port together.
    ///
    /// C: `put_host_port`.
    /// - Parameters:
    ///   - host: a name or an address.
    ///   - port: 0 as well stands for the port everybody uses.
    /// - Returns: what is looked up and written.
    public static func of(_ host: String, port: Int) -> String {
        port == 0 || port == 22 ? host : "[\(host)]:\(port)"
    }

    /// Whether a line is about a host.
    ///
    /// C: `match_maybe_hashed`.
    /// - Parameters:
    ///   - names: the patterns or the hash of a line, as written.
    ///   - host: what is looked up.
    /// - Returns: nil when the hash is written wrongly.
    static func matches(_ names: ArraySlice<UInt8>, _ host: [UInt8]) -> Bool? {
        guard names.first == hashDelimiter else {
            return matchesList(names, host.map(lowercased))
        }
        return salt(of: names).map { hashed(host, salt: $0).elementsEqual(names) }
    }

    /// Hides a name behind a hash.
    ///
    /// `|1|salt|HMAC-SHA1(salt, name)`, both in base64 (hostfile.c, `host_hash`).
    /// - Parameters:
    ///   - host: the name as it would be written.
    ///   - salt: 20 bytes, new for each line.
    /// - Returns: the first word of a line.
    static func hashed(_ host: [UInt8], salt: [UInt8]) -> [UInt8] {
        var code = HMAC<Insecure.SHA1>(key: SymmetricKey(data: salt))
        code.update(data: host)
        return hashMagic + Base64.encodedBytes(salt) + [hashDelimiter]
            + Base64.encodedBytes(code.finalize())
    }

    /// Whether the patterns of a list take a host; a negated one that does takes it out again.
    ///
    /// C: `match_pattern_list`.
    /// - Parameters:
    ///   - list: patterns with commas between.
    ///   - host: in lower case.
    /// - Returns: whether a line with these names is about the host.
    private static func matchesList(_ list: ArraySlice<UInt8>, _ host: [UInt8]) -> Bool {
        var isTaken = false
        for part in list.split(separator: UInt8(ascii: ",")) {
            let isNegated = part.first == UInt8(ascii: "!")
            let pattern = (isNegated ? part.dropFirst() : part).map(lowercased)
            // OpenSSH gives up on the whole line there.
            if pattern.count >= longestPattern { return false }
            guard matchesPattern(pattern, host) else { continue }
            if isNegated { return false }
            isTaken = true
        }
        return isTaken
    }

    /// Whether one pattern with `*` and `?` takes a whole host.
    ///
    /// On a mismatch only the last `*` is widened, so no pattern takes more than rows × columns.
    private static func matchesPattern(_ pattern: [UInt8], _ host: [UInt8]) -> Bool {
        var (atPattern, atHost) = (0, 0)
        var lastStar: (pattern: Int, host: Int)?
        while atHost < host.count {
            if atPattern < pattern.count, pattern[atPattern] == UInt8(ascii: "*") {
                lastStar = (atPattern, atHost)
                atPattern += 1
            } else if atPattern < pattern.count,
                pattern[atPattern] == UInt8(ascii: "?") || pattern[atPattern] == host[atHost]
            {
                atPattern += 1
                atHost += 1
            } else if let star = lastStar {
                lastStar = (star.pattern, star.host + 1)
                atPattern = star.pattern + 1
                atHost = star.host + 1
            } else {
                return false
            }
        }
        return pattern[atPattern...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    private static func salt(of names: ArraySlice<UInt8>) -> [UInt8]? {
        guard names.starts(with: hashMagic) else { return nil }
        let rest = names.dropFirst(hashMagic.count)
        guard let end = rest.firstIndex(of: hashDelimiter),
            let salt = Base64.decode(rest[..<end]), salt.count == Insecure.SHA1.byteCount
        else { return nil }
        return salt
    }

    private static let hashDelimiter = UInt8(ascii: "|")
    private static let hashMagic = Array("|1|".utf8)
    /// The size of OpenSSH's buffer for one pattern, with its end (match.c).
    private static let longestPattern = 1023
}

private func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
}
