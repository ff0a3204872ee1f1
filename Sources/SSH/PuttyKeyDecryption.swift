internal import Crypto
internal import CryptoExtras
internal import Posix

extension PuttyKey {
    /// The keys a passphrase gives; empty without one.
    private struct Keys {
        var cipher: [UInt8] = []
        var vector: [UInt8] = []
        var code: [UInt8] = []
    }

    /// Opens the key and writes it in OpenSSH's format, without a passphrase, for memory alone.
    ///
    /// The check sum is verified before anything in the key is believed.
    /// - Parameter passphrase: not used for a key that has none.
    /// - Returns: PEM; the caller wipes it.
    /// - Throws: ``KeyFileFault/Problem/wrongPassphrase``, also when it is the file that was
    ///   changed, which cannot be told from it; ``KeyFileFault/Problem/needsArgon2``.
    func openSSHText(passphrase: [UInt8]) throws(KeyFileFault.Problem) -> [UInt8] {
        var keys = try keys(passphrase)
        defer {
            wipe(&keys.cipher)
            wipe(&keys.code)
        }
        guard var fields = decrypted(keys) else { throw .damaged }
        defer { wipe(&fields) }
        guard isRight(code, fields, keys) else {
            throw isEncrypted ? .wrongPassphrase : .puttyChanged
        }
        guard var converted = converted(fields) else { throw .damaged }
        defer { wipe(&converted) }
        return OpenSSHPrivateKey.text(
            publicKey: publicKey,
            privateFields: converted,
            comment: comment
        )
    }

    private func keys(_ passphrase: [UInt8]) throws(KeyFileFault.Problem) -> Keys {
        guard version == 3 else { return keysOfVersion2(passphrase) }
        guard let derivation else { return Keys() }
        guard
            var bytes = Argon2.derive(
                derivation.variant,
                derivation.cost,
                passphrase: passphrase,
                salt: derivation.salt,
                count: 80
            )
        else { throw Argon2.isAvailable ? .damaged : .needsArgon2 }
        defer { wipe(&bytes) }
        return Keys(
            cipher: Array(bytes[0..<32]),
            vector: Array(bytes[32..<48]),
            code: Array(bytes[48..<80])
        )
    }

    private func keysOfVersion2(_ passphrase: [UInt8]) -> Keys {
        let secret = isEncrypted ? passphrase : []
        let code = Insecure.SHA1.hash(data: Array("putty-private-key-file-mac-key".utf8) + secret)
        guard isEncrypted else { return Keys(code: Array(code)) }
        let halves = (0..<2).flatMap { Insecure.SHA1.hash(data: [0, 0, 0, UInt8($0)] + secret) }
        return Keys(
            cipher: Array(halves.prefix(32)),
            vector: [UInt8](repeating: 0, count: 16),
            code: Array(code)
        )
    }

    /// AES-256-CBC without padding, as far as the cipher is concerned: PuTTY has its own.
    private func decrypted(_ keys: Keys) -> [UInt8]? {
        guard isEncrypted else { return privateFields }
        do {
            let vector = try AES._CBC.IV(ivBytes: keys.vector)
            let plain = try AES._CBC.decrypt(
                privateFields,
                using: SymmetricKey(data: keys.cipher),
                iv: vector,
                noPadding: true
            )
            return Array(plain)
        } catch {
            return nil
        }
    }

    /// Compares the check sum in constant time.
    private func isRight(_ code: [UInt8], _ fields: [UInt8], _ keys: Keys) -> Bool {
        var covered = WireWriter()
        covered.string(Array(algorithm.utf8))
        covered.string(Array(encryption.utf8))
        covered.string(comment)
        covered.string(publicKey)
        covered.string(fields)
        let key = SymmetricKey(data: keys.code)
        return version == 2
            ? HMAC<Insecure.SHA1>.isValidAuthenticationCode(
                code,
                authenticating: covered.bytes,
                using: key
            )
            : HMAC<SHA256>.isValidAuthenticationCode(
                code,
                authenticating: covered.bytes,
                using: key
            )
    }

    /// Puts the fields in OpenSSH's order.
    ///
    /// | kind | PuTTY public | PuTTY private | OpenSSH |
    /// |---|---|---|---|
    /// | RSA | e, n | d, p, q, 1/q | n, e, d, 1/q, p, q |
    /// | ECDSA | curve, point | exponent | curve, point, exponent |
    /// | Ed25519 | point | seed | point, seed and point |
    private func converted(_ fields: [UInt8]) -> [UInt8]? {
        guard let key = HostKey(blob: publicKey), key.algorithm == algorithm else { return nil }
        var open = WireReader(publicKey)
        var secret = WireReader(fields)
        var result = WireWriter()
        guard let name = open.string() else { return nil }
        result.string(name)
        switch key.kind {
        case .rsa:
            guard let e = open.integer(), let n = open.integer(), let d = secret.integer(),
                let p = secret.integer(), let q = secret.integer(), let inverse = secret.integer()
            else { return nil }
            for number in [n, e, d, inverse, p, q] { result.integer(number) }
        case .ecdsa:
            guard let curve = open.string(), let point = open.string(),
                let exponent = secret.integer()
            else { return nil }
            result.string(curve)
            result.string(point)
            result.integer(exponent)
        case .ed25519:
            guard let point = open.string(), let seed = secret.string(), seed.count <= 32 else {
                return nil
            }
            let filled = Array(seed) + [UInt8](repeating: 0, count: 32 - seed.count)
            result.string(point)
            result.string(filled + point)
        default:
            return nil
        }
        return result.bytes
    }
}
