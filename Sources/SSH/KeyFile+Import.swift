internal import Posix

extension KeyFile {
    /// What libssh is given.
    public struct Importable: Sendable {
        /// PEM; wiped by whoever has imported it.
        public var text: [UInt8]
        /// The passphrase the text still has on it; nil for none.
        public var passphrase: String?
    }

    /// Gives the key in a form that libssh reads, in memory alone.
    /// - Parameters:
    ///   - passphrase: nil when none is known.
    ///   - convert: converts a key of PuTTY's that takes Argon2, where the system has no library
    ///     for it; nil when it cannot.
    /// - Returns: the text. A key of PuTTY's is opened here; the others keep their passphrase.
    /// - Throws: ``KeyFileFault``, with ``KeyFileFault/Problem/wrongPassphrase`` when there is none
    ///   or it is not the right one, as far as that shows here.
    public func importable(
        passphrase: String?,
        convert: (_ path: String, _ passphrase: String) -> [UInt8]? = convertWithPuttygen
    ) throws(KeyFileFault) -> Importable {
        let key: PuttyKey
        switch content {
        case .text(let text): return Importable(text: text, passphrase: passphrase)
        case .putty(let content): key = content
        }
        if key.isEncrypted && passphrase == nil {
            throw KeyFileFault(path: path, problem: .wrongPassphrase)
        }
        var secret = Array((passphrase ?? "").utf8)
        defer { wipe(&secret) }
        do throws(Problem) {
            return Importable(text: try key.openSSHText(passphrase: secret), passphrase: nil)
        } catch {
            if error == .needsArgon2, let passphrase, let text = convert(path, passphrase) {
                return Importable(text: text, passphrase: passphrase)
            }
            throw KeyFileFault(path: path, problem: error)
        }
    }

    private typealias Problem = KeyFileFault.Problem
}

extension PrivateKey {
    /// Hands the key of a file to libssh.
    /// - Parameters:
    ///   - file: as ``KeyFile/read(_:path:)`` found it.
    ///   - passphrase: nil when none is known.
    /// - Throws: ``KeyFileFault``; with ``KeyFileFault/Problem/wrongPassphrase`` one may be asked
    ///   for, and for another one after it.
    public convenience init(_ file: KeyFile, passphrase: String?) throws(KeyFileFault) {
        var importable = try file.importable(passphrase: passphrase)
        defer { wipe(&importable.text) }
        do throws(PrivateKey.Problem) {
            try self.init(text: importable.text, passphrase: importable.passphrase)
        } catch {
            let problem: KeyFileFault.Problem =
                error == .wrongPassphrase ? .wrongPassphrase : .damaged
            throw KeyFileFault(path: file.path, problem: problem)
        }
    }
}

/// Has an installed puttygen write a key in OpenSSH's format, with the same passphrase on it.
///
/// The passphrase goes through a pipe and the key comes through one: neither is ever an argument
/// or a file.
/// - Parameters:
///   - path: the key's file.
///   - passphrase: the one it has.
/// - Returns: PEM; nil when there is no puttygen or the passphrase is wrong.
public func convertWithPuttygen(_ path: String, _ passphrase: String) -> [UInt8]? {
    let file = path.hasPrefix("-") ? "./\(path)" : path
    let command = Command(
        "puttygen",
        [
            file, "-O", "private-openssh", "-o", "/dev/stdout",
            "--old-passphrase", "/dev/stdin",
        ]
    )
    do throws(SystemError) {
        let secret = try makePipe()
        try writeAll(secret.far.number, Array(passphrase.utf8) + [UInt8(ascii: "\n")])
        let deadline = readClock() + .seconds(30)
        let input = ChildStream.descriptor(secret.near.number)
        let result = try runToEnd(command, input: input, until: deadline)
        let isKey = result.output.starts(with: Array("-----BEGIN ".utf8))
        return result.status.isSuccess && isKey ? result.output : nil
    } catch {
        return nil
    }
}
