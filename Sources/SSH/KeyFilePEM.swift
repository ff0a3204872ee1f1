/// A key between `-----BEGIN …-----` and `-----END …-----` (RFC 1421, RFC 7468), put in order.
struct PEMText: Sendable {
    /// What stands in the marks, such as `RSA PRIVATE KEY`.
    let label: String
    /// The lines before the base64 of an encrypted key: `Proc-Type: …`, `DEK-Info: …`.
    let headers: [[UInt8]]
    /// The base64, without blanks.
    let body: [UInt8]

    /// The labels of private keys that libssh may read.
    static let privateLabels: [String: KeyFile.Format] = [
        OpenSSHPrivateKey.label: .openSSH, "RSA PRIVATE KEY": .pkcs1, "EC PRIVATE KEY": .sec1,
        "PRIVATE KEY": .pkcs8, "ENCRYPTED PRIVATE KEY": .pkcs8,
    ]

    /// Finds the first private key in a text, whatever stands around it.
    /// - Parameter text: without a byte order mark.
    /// - Returns: nil when there is no mark at all.
    /// - Throws: what is between the marks if it is no private key, or not a whole one.
    static func find(in text: [UInt8]) throws(KeyFileFault.Problem) -> PEMText? {
        var rest = text[...]
        var others: [String] = []
        while let begin = rest.firstRange(of: Array("-----BEGIN ".utf8)) {
            rest = rest[begin.upperBound...]
            let label = String(decoding: rest.prefix(while: isLabelByte), as: UTF8.self)
            let dashes = Array("-----".utf8)
            guard rest.dropFirst(label.utf8.count).starts(with: dashes) else { continue }
            guard privateLabels[label] != nil else {
                others.append(label)
                continue
            }
            rest = rest.dropFirst(label.utf8.count + dashes.count)
            guard let end = rest.firstRange(of: Array("-----END \(label)-----".utf8)) else {
                throw .truncated
            }
            return try PEMText(label: label, between: rest[..<end.lowerBound])
        }
        if let label = others.first { throw KeyFileFault.Problem(insteadOfKey: label) }
        return nil
    }

    init(label: String, headers: [[UInt8]], body: [UInt8]) {
        self.label = label
        self.headers = headers
        self.body = body
    }

    private init(label: String, between text: ArraySlice<UInt8>) throws(KeyFileFault.Problem) {
        var headers: [[UInt8]] = []
        var body: [UInt8] = []
        for line in lines(of: text) {
            if line.contains(UInt8(ascii: ":")) {
                headers.append(Array(line))
            } else {
                body += line.filter { !isBlank($0) }
            }
        }
        guard !body.isEmpty, let bytes = Base64.decode(body) else { throw .damaged }
        // What was cut off inside still has its END where it was pasted together by hand.
        let isWhole =
            label == OpenSSHPrivateKey.label
            ? OpenSSHPrivateKey.isWhole(bytes) : !headers.isEmpty || DERKey.isWhole(bytes)
        guard isWhole else { throw .damaged }
        self.init(label: label, headers: headers, body: body)
    }

    /// Whether a passphrase is needed.
    var isEncrypted: Bool {
        switch label {
        case "ENCRYPTED PRIVATE KEY": true
        case OpenSSHPrivateKey.label: OpenSSHPrivateKey.isEncrypted(Base64.decode(body) ?? [])
        default: headers.contains { $0.firstRange(of: Array("ENCRYPTED".utf8)) != nil }
        }
    }

    /// The key as OpenSSH and libssh write it.
    var text: [UInt8] {
        var text = Array("-----BEGIN \(label)-----\n".utf8)
        for header in headers { text += header + [newline] }
        if !headers.isEmpty { text.append(newline) }
        var rest = body[...]
        while !rest.isEmpty {
            text += rest.prefix(lineLength) + [newline]
            rest = rest.dropFirst(lineLength)
        }
        return text + Array("-----END \(label)-----\n".utf8)
    }

    /// Whether the marks stand where OpenSSH wants them, with plain line ends.
    func isPlain(in bytes: [UInt8]) -> Bool {
        bytes.starts(with: Array("-----BEGIN \(label)-----\n".utf8))
            && bytes.firstRange(of: Array("\n-----END \(label)-----\n".utf8)) != nil
            && !bytes.contains(0x0d)
    }

    private let newline = UInt8(ascii: "\n")
    private let lineLength = 64
}

/// Splits a text at its line ends, or at `\n` in two characters where it was taken out of JSON or
/// out of a variable.
private func lines(of text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
    var lines: [ArraySlice<UInt8>] = []
    let escape = Array("\\n".utf8)
    for line in text.split(whereSeparator: { $0 == 0x0a || $0 == 0x0d }) {
        var rest = line
        while let range = rest.firstRange(of: escape) {
            lines.append(rest[..<range.lowerBound])
            rest = rest[range.upperBound...]
        }
        lines.append(rest)
    }
    return lines.map(trimmed).filter { !$0.isEmpty }
}

private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var line = line.drop(while: isBlank)
    while let last = line.last, isBlank(last) { line = line.dropLast() }
    return line
}

private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

private func isLabelByte(_ byte: UInt8) -> Bool {
    byte == 0x20 || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
}
