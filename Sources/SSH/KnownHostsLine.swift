/// One line of a known_hosts file, taken apart; the key is read only when a line is of interest.
///
/// sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT":
///
///     [@marker] names key-type base64-key [comment]
struct KnownHostsLine: Sendable, Equatable {
    /// What a line says about its key.
    enum Marker: Sendable, Equatable {
        /// The key belongs to the hosts.
        case none
        /// The key signs the hosts' certificates.
        case certAuthority
        /// The key must not be trusted for the hosts.
        case revoked
    }

    /// What a line is.
    enum Content: Sendable, Equatable {
        /// Nothing, or a comment.
        case blank
        /// It cannot be understood.
        case invalid
        /// An entry.
        case entry(KnownHostsLine)
    }

    let marker: Marker
    /// The patterns or the hash, as written.
    let names: ArraySlice<UInt8>
    /// The key's type, its base64, and what follows.
    let rest: ArraySlice<UInt8>

    /// Takes a line apart.
    ///
    /// C: `hostkeys_foreach_file`.
    /// - Parameter line: without its line end; a CR at the end does not count.
    /// - Returns: what it is.
    static func parse(_ line: ArraySlice<UInt8>) -> Content {
        // C's strings end at a zero, so OpenSSH sees nothing behind one.
        var text = line.prefix { $0 != 0 }
        if text.last == carriageReturn { text = text.dropLast() }
        text = text.drop(while: isBlank)
        if text.isEmpty || text.first == numberSign { return .blank }

        var marker = Marker.none
        if text.first == atSign {
            let word = text.prefix { !isBlank($0) }
            guard let known = markers[String(decoding: word, as: UTF8.self)] else {
                return .invalid
            }
            marker = known
            text = text.dropFirst(word.count).drop(while: isBlank)
            // Only one marker is allowed.
            if text.first == atSign { return .invalid }
        }
        let names = text.prefix { !isBlank($0) }
        let rest = text.dropFirst(names.count).drop(while: isBlank)
        return .entry(KnownHostsLine(marker: marker, names: names, rest: rest))
    }

    /// Reads the key.
    ///
    /// C: `sshkey_read`.
    /// - Returns: nil when there is none, or its type is not the one that is written before it.
    func key() -> HostKey? {
        let type = rest.prefix { !isBlank($0) }
        let encoded = rest.dropFirst(type.count).drop(while: isBlank).prefix { !isBlank($0) }
        guard !encoded.isEmpty, let blob = Base64.decode(encoded), let key = HostKey(blob: blob)
        else { return nil }
        let name = String(decoding: type, as: UTF8.self)
        // `rsa-sha2-256` may be written for a key that says `ssh-rsa`.
        let isNamed = key.algorithm == name
        let isSameKind = key.kind != .other && key.kind == HostKeyKind(algorithm: name)
        return isNamed || isSameKind ? key : nil
    }

    private static let markers: [String: Marker] = [
        "@cert-authority": .certAuthority, "@revoked": .revoked,
    ]
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
private let carriageReturn: UInt8 = 0x0d
private let numberSign = UInt8(ascii: "#")
private let atSign = UInt8(ascii: "@")
