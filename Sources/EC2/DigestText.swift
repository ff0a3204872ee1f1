internal import JSONText

/// Writes bytes as base64 without padding, as OpenSSH does in fingerprints.
func unpaddedBase64(_ bytes: some Sequence<UInt8>) -> String {
    base64Encoded(bytes, padded: false)
}

/// Writes bytes as pairs of hexadecimal digits with colons between.
func colonDigits(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
}

/// Reads base64 that stands in one piece.
func base64Bytes(_ text: some StringProtocol) -> [UInt8]? {
    text.utf8.contains { $0 <= 0x20 } ? nil : base64Decoded(text.utf8)
}
