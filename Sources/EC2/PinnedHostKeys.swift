public import Faults
internal import Posix

/// The host keys of each instance, kept by its id: an address that is used again neither warns nor
/// fools.
///
/// One small file per instance, in the form of `known_hosts` with the id as the name, so that
/// `ssh -o HostKeyAlias=i-… -o UserKnownHostsFile=…` can read it too; the comment says who
/// vouched for the key.
///
///     i-0123456789abcdef0 ssh-ed25519 AAAA… console
public struct PinnedHostKeys: Sendable {
    /// One key.
    public struct Pin: Sendable, Equatable {
        /// The key in SSH's encoding.
        public let blob: [UInt8]
        /// Who vouched for it.
        public let witness: Witness

        /// Describes a key.
        /// - Parameters:
        ///   - blob: the key in SSH's encoding.
        ///   - witness: who vouched for it.
        public init(blob: [UInt8], witness: Witness) {
            self.blob = blob
            self.witness = witness
        }
    }

    /// Who vouched for a key.
    public enum Witness: String, Sendable {
        /// The instance's console, read from AWS.
        case console
        /// The instance itself, asked by Systems Manager.
        case ssm
        /// The user, or what StrictHostKeyChecking says.
        case user
    }

    private let files: CacheDirectory

    /// Finds the place of the files by the XDG base directory specification.
    /// - Parameters:
    ///   - environment: XDG_CACHE_HOME counts when it is an absolute path.
    ///   - home: the home directory; nil when there is none, which gives nil without XDG's word.
    public init?(environment: [String: String], home: String?) {
        guard let files = CacheDirectory("hostkeys", environment: environment, home: home) else {
            return nil
        }
        self.files = files
    }

    /// The file of an instance, whether it is there or not.
    /// - Parameter id: `i-…`.
    /// - Returns: a path.
    public func path(of id: String) -> String { files.file(id.lowercased()) }

    /// Finds the keys of an instance.
    /// - Parameters:
    ///   - id: `i-…`.
    ///   - trace: gets a note when there is something that cannot be used.
    /// - Returns: empty when none is known.
    public func keys(of id: String, trace: Trace) -> [Pin] {
        keys(of: id) { trace.debug(.debug1, .local, $0) }
    }

    func keys(of id: String, note: (String) -> Void) -> [Pin] {
        guard let bytes = CacheDirectory.read(path(of: id), limit: largestFile, note: note) else {
            return []
        }
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count >= 3, words[0] == id,
                let key = PublicKeyBlob(line: "\(words[1]) \(words[2])")
            else { return nil }
            let witness = words.count > 3 ? Witness(rawValue: String(words[3])) : nil
            return Pin(blob: key.bytes, witness: witness ?? .user)
        }
    }

    /// Keeps keys in the place of all that were known before; touches no file when they are the
    /// same.
    /// - Parameters:
    ///   - pins: all keys of the instance; those of kinds no instance has are left out.
    ///   - id: `i-…`.
    ///   - trace: gets a note when they cannot be kept.
    public func keep(_ pins: [Pin], of id: String, trace: Trace) {
        keep(pins, of: id) { trace.debug(.debug1, .local, $0) }
    }

    func keep(_ pins: [Pin], of id: String, note: (String) -> Void) {
        guard EC2Name.isInstanceID(id), keys(of: id, note: note) != pins else { return }
        let lines = pins.prefix(mostKeys).compactMap { pin in
            PublicKeyBlob(pin.blob).map { key in
                "\(id) \(key.algorithm) \(paddedBase64(key.bytes)) \(pin.witness.rawValue)\n"
            }
        }
        do throws(SystemError) {
            try files.write(path(of: id), Array(lines.joined().utf8))
        } catch {
            note("host keys are not remembered: \(error.summary)")
        }
    }

    func makeLock(of id: String, note: (String) -> Void) -> CacheLock? {
        files.makeLock(path(of: id), note: note)
    }

    private let largestFile = 64 << 10
    private let mostKeys = 16
}

private func paddedBase64(_ bytes: [UInt8]) -> String {
    let text = unpaddedBase64(bytes)
    return text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
}
