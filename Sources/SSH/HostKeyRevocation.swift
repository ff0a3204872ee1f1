internal import Crypto

/// A list of keys that must not be trusted, RevokedHostKeys' file: OpenSSH's KRL, or lines as in
/// `.pub` files.
///
/// PROTOCOL.krl:
///
///     "SSHKRL\n" 0 | uint32 format 1 | uint64 version, date, flags | string reserved, comment
///     then sections: byte type | string contents
public enum HostKeyRevocation {
    /// The list is not understood, so that no key can be said to be fine.
    public struct Unreadable: Error, Sendable, Equatable {}

    /// Looks for a key.
    ///
    /// C: `sshkey_check_revoked`.
    /// - Parameters:
    ///   - key: the key a server shows.
    ///   - list: the whole file.
    /// - Returns: whether it is revoked.
    /// - Throws: ``Unreadable``.
    public static func contains(_ key: HostKey, list: [UInt8]) throws(Unreadable) -> Bool {
        try list.starts(with: magic) ? isInKRL(key, list) : isInLines(key, list)
    }

    private static func isInKRL(_ key: HostKey, _ list: [UInt8]) throws(Unreadable) -> Bool {
        var reader = WireReader(list.dropFirst(magic.count))
        // Version, date and flags say nothing about keys; who signed is not asked, as in OpenSSH.
        guard reader.number() == formatVersion, reader.take(24) != nil, reader.string() != nil,
            reader.string() != nil
        else { throw Unreadable() }
        var isRevoked = false
        while !reader.isAtEnd {
            guard let type = reader.take(1)?.first, let section = reader.string() else {
                throw Unreadable()
            }
            let wanted: [UInt8]
            switch type {
            case 2: wanted = key.blob
            case 3: wanted = Array(Insecure.SHA1.hash(data: key.blob))
            case 5: wanted = Array(SHA256.hash(data: key.blob))
            // About certificates, which no server shows us.
            case 1: continue
            // A signature: the section is the key, and what it made follows. That the file is the
            // right one is for whoever put it there.
            case 4:
                guard reader.string() != nil else { throw Unreadable() }
                continue
            default: throw Unreadable()
            }
            var members = WireReader(section)
            while !members.isAtEnd {
                guard let member = members.string() else { throw Unreadable() }
                if member.elementsEqual(wanted) { isRevoked = true }
            }
        }
        return isRevoked
    }

    private static func isInLines(_ key: HostKey, _ list: [UInt8]) throws(Unreadable) -> Bool {
        for line in list.split(separator: UInt8(ascii: "\n")) {
            guard case .entry(let entry) = KnownHostsLine.parse(Array("* ".utf8) + line) else {
                throw Unreadable()
            }
            if entry.rest.isEmpty || entry.rest.first == UInt8(ascii: "#") { continue }
            guard let revoked = entry.key() else { throw Unreadable() }
            if revoked == key { return true }
        }
        return false
    }

    private static let magic = Array("SSHKRL\n\0".utf8)
    private static let formatVersion: UInt32 = 1
}
