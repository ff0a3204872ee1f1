/// Lists the algorithms OpenSSH 9.2 knows, those it offers, and those libssh can do.
///
/// The configuration speaks of OpenSSH's lists, so that `-G` tells what `ssh -G` tells; only what
/// is handed to libssh, and `-Q`, is narrowed by ``usable(_:_:)``.
public enum Algorithms {
    /// One kind of algorithm.
    public enum Kind: Sendable {
        /// Ciphers.
        case cipher
        /// Message authentication codes.
        case mac
        /// Key exchanges.
        case kex
        /// Host keys, user keys and certificates.
        case key
        /// Signatures of certificate authorities: keys without certificates.
        case signature
    }

    /// Narrows a list to what libssh 0.10.6 can do.
    ///
    /// Group exchange always asks for 2048 bits there, so it is moved to the end.
    /// - Parameters:
    ///   - kind: what the names stand for.
    ///   - names: OpenSSH's names, in order of preference.
    /// - Returns: the usable ones in the same order; may be empty.
    public static func usable(_ kind: Kind, _ names: [String]) -> [String] {
        let usable = names.filter { !unusable(kind, $0) }
        guard kind == .kex else { return usable }
        let isGroupExchange = { (name: String) in name.hasPrefix("diffie-hellman-group-exchange") }
        return usable.filter { !isGroupExchange($0) } + usable.filter(isGroupExchange)
    }

    /// What libssh lacks: see `kex.c` and `pki.c` of libssh 0.10.6, Debian's build without DSA.
    private static func unusable(_ kind: Kind, _ name: String) -> Bool {
        switch kind {
        case .cipher: false
        case .mac: name.hasPrefix("umac-") || name.hasPrefix("hmac-md5") || name.contains("-96")
        case .kex: name.hasPrefix("sntrup") || name.hasPrefix("gss-")
        case .key, .signature: name.contains("ssh-dss") || name.hasPrefix("webauthn-")
        }
    }
}

extension Algorithms {
    /// C: `ciphers` in `cipher.c`, without `none`.
    static let ciphers = [
        "3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc", "aes128-ctr", "aes192-ctr",
        "aes256-ctr", "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
        "chacha20-poly1305@openssh.com",
    ]

    /// C: `macs` in `mac.c`.
    static let macs = [
        "hmac-sha1", "hmac-sha1-96", "hmac-sha2-256", "hmac-sha2-512", "hmac-md5", "hmac-md5-96",
        "umac-64@openssh.com", "umac-128@openssh.com", "hmac-sha1-etm@openssh.com",
        "hmac-sha1-96-etm@openssh.com", "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com", "hmac-md5-etm@openssh.com",
        "hmac-md5-96-etm@openssh.com", "umac-64-etm@openssh.com", "umac-128-etm@openssh.com",
    ]

    /// C: `kexalgs` in `kex.c`.
    static let kex = [
        "diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1",
        "diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512", "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group-exchange-sha256", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521", "curve25519-sha256", "curve25519-sha256@libssh.org",
        "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com",
    ]

    /// C: `gss_kexalgs` in `kex.c`; names begin with these, a hash of the mechanism follows.
    static let gssKex = [
        "gss-gex-sha1-", "gss-group1-sha1-", "gss-group14-sha1-", "gss-group14-sha256-",
        "gss-group16-sha512-", "gss-nistp256-sha256-", "gss-curve25519-sha256-",
    ]

    /// One row of C: `keyimpls` in `sshkey.c`.
    struct Key {
        let name: String
        /// The short name, accepted for keys that are no certificates.
        let short: String
        var isCertificate = false
        /// Names a signature only, not a kind of key.
        var isSignatureOnly = false
    }

    static let keyTable = [
        Key(name: "ssh-ed25519", short: "ED25519"),
        Key(name: "ssh-ed25519-cert-v01@openssh.com", short: "ED25519-CERT", isCertificate: true),
        Key(name: "sk-ssh-ed25519@openssh.com", short: "ED25519-SK"),
        Key(
            name: "sk-ssh-ed25519-cert-v01@openssh.com",
            short: "ED25519-SK-CERT",
            isCertificate: true
        ),
        Key(name: "ecdsa-sha2-nistp256", short: "ECDSA"),
        Key(
            name: "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            short: "ECDSA-CERT",
            isCertificate: true
        ),
        Key(name: "ecdsa-sha2-nistp384", short: "ECDSA"),
        Key(
            name: "ecdsa-sha2-nistp384-cert-v01@openssh.com",
            short: "ECDSA-CERT",
            isCertificate: true
        ),
        Key(name: "ecdsa-sha2-nistp521", short: "ECDSA"),
        Key(
            name: "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            short: "ECDSA-CERT",
            isCertificate: true
        ),
        Key(name: "sk-ecdsa-sha2-nistp256@openssh.com", short: "ECDSA-SK"),
        Key(
            name: "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
            short: "ECDSA-SK-CERT",
            isCertificate: true
        ),
        Key(
            name: "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
            short: "ECDSA-SK",
            isSignatureOnly: true
        ),
        Key(name: "ssh-dss", short: "DSA"),
        Key(name: "ssh-dss-cert-v01@openssh.com", short: "DSA-CERT", isCertificate: true),
        Key(name: "ssh-rsa", short: "RSA"),
        Key(name: "ssh-rsa-cert-v01@openssh.com", short: "RSA-CERT", isCertificate: true),
        Key(name: "rsa-sha2-256", short: "RSA", isSignatureOnly: true),
        Key(
            name: "rsa-sha2-256-cert-v01@openssh.com",
            short: "RSA-CERT",
            isCertificate: true,
            isSignatureOnly: true
        ),
        Key(name: "rsa-sha2-512", short: "RSA", isSignatureOnly: true),
        Key(
            name: "rsa-sha2-512-cert-v01@openssh.com",
            short: "RSA-CERT",
            isCertificate: true,
            isSignatureOnly: true
        ),
    ]
}

// MARK: What OpenSSH offers when nothing is said, C: `myproposal.h`

extension Algorithms {
    /// Ciphers offered by default.
    public static let defaultCiphers = [
        "chacha20-poly1305@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr",
        "aes128-gcm@openssh.com", "aes256-gcm@openssh.com",
    ]

    /// MACs offered by default.
    public static let defaultMACs = [
        "umac-64-etm@openssh.com", "umac-128-etm@openssh.com", "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com", "hmac-sha1-etm@openssh.com", "umac-64@openssh.com",
        "umac-128@openssh.com", "hmac-sha2-256", "hmac-sha2-512", "hmac-sha1",
    ]

    /// Key exchanges offered by default.
    public static let defaultKex = [
        "sntrup761x25519-sha512", "sntrup761x25519-sha512@openssh.com", "curve25519-sha256",
        "curve25519-sha256@libssh.org", "ecdh-sha2-nistp256", "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521", "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512", "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ]

    /// Keys accepted and used by default: certificates, then plain ones.
    public static let defaultKeys =
        [
            "ssh-ed25519-cert-v01@openssh.com", "ecdsa-sha2-nistp256-cert-v01@openssh.com",
            "ecdsa-sha2-nistp384-cert-v01@openssh.com", "ecdsa-sha2-nistp521-cert-v01@openssh.com",
            "sk-ssh-ed25519-cert-v01@openssh.com", "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
            "rsa-sha2-512-cert-v01@openssh.com", "rsa-sha2-256-cert-v01@openssh.com",
        ] + defaultSignatures

    /// Signatures accepted on certificates by default; the plain keys of ``defaultKeys``.
    public static let defaultSignatures = [
        "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com", "rsa-sha2-512",
        "rsa-sha2-256",
    ]

    /// Key exchanges by Kerberos that Debian offers when they are switched on.
    public static let defaultGSSKex =
        "gss-group14-sha256-,gss-group16-sha512-,gss-nistp256-sha256-,gss-curve25519-sha256-,"
        + "gss-group14-sha1-,gss-gex-sha1-"
}
