/// A private key file as it was meant: what is inside, and the text that libssh imports.
///
/// People's files come with the line ends of Windows, without the last line end, with a byte order
/// mark, indented, on one line or inside of JSON. The key in them is all there, so it is read;
/// nothing on the disk is changed.
public struct KeyFile: Sendable {
    /// How the key is written.
    public enum Format: Sendable, Equatable {
        /// `openssh-key-v1` (PROTOCOL.key).
        case openSSH
        /// PKCS#1: `RSA PRIVATE KEY`.
        case pkcs1
        /// SEC1: `EC PRIVATE KEY`.
        case sec1
        /// PKCS#8: `PRIVATE KEY` and `ENCRYPTED PRIVATE KEY`.
        case pkcs8
        /// PuTTY's own, of version 2 or 3.
        case putty(version: Int)
    }

    enum Content: Sendable {
        case text([UInt8])
        case putty(PuttyKey)
    }

    /// Where it was read from.
    public let path: String
    /// How the key is written.
    public let format: Format
    /// Whether it takes a passphrase to read it.
    public let isEncrypted: Bool
    /// Whether the file is written in a way that OpenSSH would not have read.
    public let isMended: Bool
    /// The public half, where the file shows it without a passphrase: in OpenSSH's format and in
    /// PuTTY's.
    public let publicKey: HostKey?
    let content: Content

    /// Finds the private key in a file.
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - path: what errors name.
    /// - Returns: the key, not decrypted.
    /// - Throws: ``KeyFileFault`` that names what the file is instead.
    public static func read(_ bytes: [UInt8], path: String) throws(KeyFileFault) -> KeyFile {
        do throws(KeyFileFault.Problem) {
            return try KeyFile(bytes, path)
        } catch {
            throw KeyFileFault(path: path, problem: error)
        }
    }

    private init(_ bytes: [UInt8], _ path: String) throws(KeyFileFault.Problem) {
        if let (label, body) = DERKey.wrap(bytes) {
            self.init(PEMText(label: label, headers: [], body: body), path, isMended: true)
            return
        }
        let text = decodeText(bytes)
        if let start = PuttyKey.start(in: text) {
            self.init(try PuttyKey(text[start...]), path)
        } else if let pem = try PEMText.find(in: text) {
            self.init(pem, path, isMended: !pem.isPlain(in: bytes))
        } else {
            throw KeyFileFault.Problem(insteadOfKey: text)
        }
    }

    private init(_ key: PuttyKey, _ path: String) {
        self.path = path
        format = .putty(version: key.version)
        isEncrypted = key.isEncrypted
        isMended = true
        publicKey = HostKey(blob: key.publicKey)
        content = .putty(key)
    }

    private init(_ pem: PEMText, _ path: String, isMended: Bool) {
        self.path = path
        format = PEMText.privateLabels[pem.label] ?? .pkcs8
        isEncrypted = pem.isEncrypted
        let converted =
            pem.label == "PRIVATE KEY"
            ? Base64.decode(pem.body).flatMap(Ed25519InPKCS8.openSSHText) : nil
        self.isMended = isMended || converted != nil
        publicKey =
            pem.label == OpenSSHPrivateKey.label
            ? Base64.decode(pem.body).flatMap(OpenSSHPrivateKey.publicKey) : nil
        content = .text(converted ?? pem.text)
    }
}

/// Takes the marks of an encoding off a text.
///
/// UTF-16, which PowerShell's `>` writes, becomes ASCII; what is beyond that becomes `?`.
func decodeText(_ bytes: [UInt8]) -> [UInt8] {
    if bytes.starts(with: [0xef, 0xbb, 0xbf]) { return Array(bytes.dropFirst(3)) }
    let isLittle = bytes.starts(with: [0xff, 0xfe])
    guard isLittle || bytes.starts(with: [0xfe, 0xff]) else { return bytes }
    var text: [UInt8] = []
    var rest = bytes.dropFirst(2)
    while let first = rest.popFirst(), let second = rest.popFirst() {
        let (low, high) = isLittle ? (first, second) : (second, first)
        text.append(high == 0 && low < 0x80 ? low : UInt8(ascii: "?"))
    }
    return text
}
