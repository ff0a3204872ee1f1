public import Faults

/// Why a file gave no private key, by what it is.
public struct KeyFileFault: Fault, Equatable {
    /// What the file is, or lacks.
    public enum Problem: Error, Sendable, Equatable {
        /// There is nothing in it.
        case empty
        /// It ends in the middle of the key.
        case truncated
        /// Its marks are there, but what is between them is not whole.
        case damaged
        /// A public key, as in a `.pub` file.
        case publicKey
        /// A certificate of OpenSSH.
        case certificate
        /// A certificate of TLS.
        case tlsCertificate
        /// A page of the web, most likely of an error or a login.
        case webPage
        /// XML, most likely the answer of an API.
        case xml
        /// JSON without a key in it.
        case json
        /// A key of PGP.
        case pgp
        /// A DSA key, which no server of today takes.
        case dsa
        /// A private key of SSH 1 or of ssh.com's program.
        case oldFormat
        /// A key of PuTTY's in a version we do not read.
        case puttyVersion(Int)
        /// A key of PuTTY's of a kind we do not read.
        case puttyKind(String)
        /// A key of PuTTY's whose check sum is wrong.
        case puttyChanged
        /// The passphrase is missing or wrong.
        case wrongPassphrase
        /// A key of PuTTY's that takes Argon2 to decrypt, and nothing here computes that.
        case needsArgon2
        /// Anything else.
        case unknown
    }

    /// The file.
    public let path: String
    /// What is wrong.
    public let problem: Problem

    /// Names a file and what is wrong with it.
    /// - Parameters:
    ///   - path: the file.
    ///   - problem: what is wrong.
    public init(path: String, problem: Problem) {
        self.path = path
        self.problem = problem
    }

    /// Always ``Faults/Layer/identity``.
    public var layer: Layer { .identity }
    /// The file and what it is.
    public var summary: String { "\(path) \(problem.row.what)" }
    /// What to do about it.
    public var hint: Hint? {
        switch problem {
        case .publicKey where path.hasSuffix(".pub"):
            .advice("use the private key, \(path.dropLast(".pub".count))")
        case .needsArgon2:
            .run("sudo apt-get install libargon2-1")
        default:
            problem.row.advice.map { .advice($0) }
        }
    }
    /// The line OpenSSH prints (sshconnect2.c, `load_identity_file`).
    public var words: [String]? {
        let reason =
            problem == .wrongPassphrase
            ? "incorrect passphrase supplied to decrypt private key" : "error in libcrypto"
        return ["Load key \"\(path)\": \(reason)"]
    }
}

extension KeyFileFault.Problem {
    /// What is said about each.
    fileprivate var row: (what: String, advice: String?) {
        switch self {
        case .empty: ("is empty", "download the key again, or restore it")
        case .truncated: ("ends in the middle of the key", "copy the whole file again")
        case .damaged: ("is damaged", "copy the whole file again")
        case .publicKey: ("is a public key", "use the private key that belongs to it")
        case .certificate:
            ("is a certificate", "give it with -o CertificateFile, and the private key with -i")
        case .tlsCertificate:
            ("is a certificate of TLS", "use the file whose first line says PRIVATE KEY")
        case .webPage: ("is a web page", "the download of the key has failed; repeat it")
        case .xml: ("is XML", "the download of the key has failed; repeat it")
        case .json: ("is JSON without a key", "save KeyMaterial of the key pair's answer")
        case .pgp: ("is a key of PGP", nil)
        case .dsa: ("is a DSA key, which no server of today takes", "use an ed25519 or RSA key")
        case .oldFormat:
            ("is a key in an old format", "convert it with ssh-keygen -i or puttygen")
        case .puttyVersion(let version):
            ("is a key of PuTTY's in version \(version)", "save it again with a newer puttygen")
        case .puttyKind(let kind):
            ("is a key of PuTTY's of the kind \(kind)", "convert it with puttygen")
        case .puttyChanged: ("is a key of PuTTY's and damaged", "copy the whole file again")
        case .wrongPassphrase: ("is not opened by this passphrase", nil)
        case .needsArgon2: ("is a key of PuTTY's that takes Argon2 to decrypt", nil)
        case .unknown: ("is not a private key", nil)
        }
    }

    /// Names what a block of PEM is that is no private key.
    init(insteadOfKey label: String) {
        self =
            switch label {
            case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE", "CERTIFICATE REQUEST":
                .tlsCertificate
            case "DSA PRIVATE KEY": .dsa
            case _ where label.hasPrefix("PGP "): .pgp
            case _ where label.hasSuffix("PUBLIC KEY"): .publicKey
            default: .unknown
            }
    }

    /// Names a text without any mark of a key.
    init(insteadOfKey text: [UInt8]) {
        let words = text.split(maxSplits: 8) { $0 == 0x20 || (0x09...0x0d).contains($0) }
        guard let first = words.first else {
            self = .empty
            return
        }
        let start = String(decoding: text.prefix(1024), as: UTF8.self)
        let lower = start.lowercased()
        if lower.contains("<html") || lower.contains("<!doctype html") {
            self = .webPage
        } else if first.first == UInt8(ascii: "<") {
            self = .xml
        } else if first.first == UInt8(ascii: "{") {
            self = .json
        } else if start.contains("---- BEGIN SSH2 PUBLIC KEY") {
            self = .publicKey
        } else if start.contains("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY")
            || start.hasPrefix("SSH PRIVATE KEY FILE FORMAT")
        {
            self = .oldFormat
        } else {
            self.init(kindIn: words)
        }
    }

    /// A public key has its kind as its first word, or behind options.
    private init(kindIn words: [ArraySlice<UInt8>]) {
        for word in words {
            switch HostKeyKind(algorithm: String(decoding: word, as: UTF8.self)) {
            case .other: continue
            case .certificate: self = .certificate
            default: self = .publicKey
            }
            return
        }
        self = .unknown
    }
}
