internal import Faults

/// The host keys that an instance has printed on its console while it started.
///
/// cloud-init prints, once per instance, fingerprints through the system's log and whole keys as
/// they are (cc_keys_to_console.py, write-ssh-key-fingerprints); ssh-keygen tells of the keys it
/// makes; Flatcar and Fedora CoreOS name them above the login prompt. Only AWS, and root on the
/// instance, can write there.
///
///     <14>Apr  9 22:06:30 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
///     <14>Apr  9 22:06:30 ec2: 256 SHA256:… root@ip-10-0-0-7 (ED25519)
///     <14>Apr  9 22:06:30 ec2: -----END SSH HOST KEY FINGERPRINTS-----
///     -----BEGIN SSH HOST KEY KEYS-----
///     ssh-ed25519 AAAA… root@ip-10-0-0-7
///     -----END SSH HOST KEY KEYS-----
///
/// Other lines come in between, and lines come torn: only what is whole counts.
public struct ConsoleHostKeys: Sendable, Equatable {
    /// What the console says about a key.
    public enum Verdict: Sendable, Equatable {
        /// It has printed this key.
        case proven
        /// It has printed keys of this kind, and this is none of them.
        case contradicted
        /// It has printed no key of this kind.
        case silent
    }

    /// Whole keys, in SSH's encoding.
    public private(set) var keys: [[UInt8]] = []
    /// Fingerprints, `SHA256:…` or `MD5:…`, with what ssh-keygen calls the kind, such as `RSA`.
    public private(set) var fingerprints: [HostKeyPrint] = []

    /// Whether there is nothing to judge by.
    public var isEmpty: Bool { keys.isEmpty && fingerprints.isEmpty }

    /// Reads a console's output.
    /// - Parameter output: as GetConsoleOutput gives it, decoded; only its end is read.
    public init(output: [UInt8]) {
        var reader = ConsoleReader()
        for line in consoleLines(output) { reader.read(line) }
        keys = reader.keys
        fingerprints = reader.fingerprints
    }

    /// Judges the key a server has shown.
    /// - Parameter blob: the key in SSH's encoding.
    /// - Returns: what the console says of it.
    public func judge(_ blob: [UInt8]) -> Verdict {
        guard let key = PublicKeyBlob(blob) else { return .silent }
        if keys.contains(blob) { return .proven }
        let prints = fingerprints.filter { $0.kind == key.shortName }
        if prints.contains(where: { $0.text == key.sha256 || $0.text == key.md5 }) {
            return .proven
        }
        let others = keys.contains { PublicKeyBlob($0)?.algorithm == key.algorithm }
        return others || !prints.isEmpty ? .contradicted : .silent
    }
}

/// A fingerprint with the kind of its key.
public struct HostKeyPrint: Sendable, Hashable {
    /// `SHA256:…` or `MD5:…`.
    public let text: String
    /// What ssh-keygen calls the kind, such as `ED25519`.
    public let kind: String
}

private struct ConsoleReader {
    private enum Block {
        case none
        case keys
        case fingerprints
    }

    var keys: [[UInt8]] = []
    var fingerprints: [HostKeyPrint] = []
    private var block = Block.none
    /// Lines since the block began: its end may have been lost.
    private var age = 0
    /// The kind of the key that ssh-keygen has just written.
    private var saved: String?
    /// Whether ssh-keygen's next line is a fingerprint.
    private var isAnnounced = false

    mutating func read(_ line: String) {
        age += 1
        if age > longestBlock { block = .none }
        switch line {
        case "-----BEGIN SSH HOST KEY KEYS-----": begin(.keys)
        case "-----BEGIN SSH HOST KEY FINGERPRINTS-----": begin(.fingerprints)
        case "-----END SSH HOST KEY KEYS-----", "-----END SSH HOST KEY FINGERPRINTS-----":
            begin(.none)
        default: readContents(line)
        }
    }

    private mutating func begin(_ block: Block) {
        self.block = block
        age = 0
        saved = nil
        isAnnounced = false
    }

    private mutating func readContents(_ line: String) {
        switch block {
        case .keys:
            if let key = PublicKeyBlob(line: line), !keys.contains(key.bytes) {
                keys.append(key.bytes)
            }
        case .fingerprints:
            add(hostKeyPrint(in: line))
        case .none:
            readKeygen(line)
            let prompt = "SSH host key: "
            if line.hasPrefix(prompt) {
                add(hostKeyPrint(in: "0 " + line.dropFirst(prompt.count)))
            }
        }
    }

    /// `Your public key has been saved in /etc/ssh/ssh_host_rsa_key.pub`, then
    /// `The key fingerprint is:`, then the fingerprint and a comment.
    private mutating func readKeygen(_ line: String) {
        if line.hasPrefix("Your public key has been saved in ") {
            let kinds = ["rsa": "RSA", "ecdsa": "ECDSA", "ed25519": "ED25519"]
            saved = kinds.first { line.contains("/etc/ssh/ssh_host_\($0.key)_key") }?.value
            isAnnounced = false
        } else if line == "The key fingerprint is:" {
            isAnnounced = true
        } else if let kind = saved, isAnnounced, let word = line.split(separator: " ").first,
            let text = fingerprintText(word)
        {
            add(HostKeyPrint(text: text, kind: kind))
            saved = nil
            isAnnounced = false
        }
    }

    private mutating func add(_ print: HostKeyPrint?) {
        guard let print, fingerprints.count < mostKeys, !fingerprints.contains(print) else {
            return
        }
        fingerprints.append(print)
    }
}

/// A block has a handful of lines; this many may have come in between.
private let longestBlock = 500
private let mostKeys = 256

/// Reads `256 SHA256:… root@host (ED25519)`, or with MD5's digits in place of SHA256.
private func hostKeyPrint(in line: String) -> HostKeyPrint? {
    let words = line.split(separator: " ")
    guard words.count >= 3, UInt16(words[0]) != nil, let last = words.last,
        let text = fingerprintText(words[1])
    else { return nil }
    let kind = last.dropFirst().dropLast()
    guard last == "(\(kind))", ["RSA", "ECDSA", "ED25519", "DSA"].contains(kind) else { return nil }
    return HostKeyPrint(text: text, kind: String(kind))
}

private func fingerprintText(_ word: Substring) -> String? {
    let sha = "SHA256:"
    if word.hasPrefix(sha) {
        let digits = word.dropFirst(sha.count)
        return digits.utf8.count == 43 && base64Bytes("\(digits)=") != nil ? String(word) : nil
    }
    let pairs = (word.hasPrefix("MD5:") ? word.dropFirst(4) : word).split(separator: ":")
    guard pairs.count == 16, pairs.allSatisfy({ $0.utf8.count == 2 && UInt8($0, radix: 16) != nil })
    else { return nil }
    return "MD5:" + pairs.joined(separator: ":").lowercased()
}
