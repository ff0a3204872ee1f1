internal import Crypto
public import SSHConfig

extension HostKey {
    /// The short form in which people compare keys.
    ///
    /// C: `sshkey_fingerprint`.
    /// - Parameter hash: FingerprintHash's value.
    /// - Returns: such as `SHA256:uNiVztksCsDhcc0u9e8BrVQuDqkzo…` or `MD5:16:27:…`.
    public func fingerprint(_ hash: FingerprintHash = .sha256) -> String {
        switch hash {
        case .md5: "MD5:" + digest(hash).map(hexadecimal).joined(separator: ":")
        default: "\(hash.rawValue):" + Base64.encode(digest(hash), padded: false)
        }
    }

    /// The fingerprint as a picture, for VisualHostKey.
    ///
    /// A worm walks over a field, two bits a step; each place shows how often it was there.
    ///
    /// C: `fingerprint_randomart`.
    /// - Parameter hash: FingerprintHash's value.
    /// - Returns: eleven lines, no line end after the last.
    public func randomart(_ hash: FingerprintHash = .sha256) -> String {
        let width = 17
        let height = 9
        var visits = [[Int]](repeating: Array(repeating: 0, count: width), count: height)
        var (x, y) = (width / 2, height / 2)
        for byte in digest(hash) {
            for step in 0..<4 {
                let move = byte >> UInt8(2 * step)
                x = min(max(x + (move & 1 != 0 ? 1 : -1), 0), width - 1)
                y = min(max(y + (move & 2 != 0 ? 1 : -1), 0), height - 1)
                visits[y][x] = min(visits[y][x] + 1, mostVisits)
            }
        }
        var picture = visits.map { row in row.map { visitMarks[$0] } }
        picture[height / 2][width / 2] = "S"
        picture[y][x] = "E"

        let title = String("[\(shortName) \(bits)]".prefix(width - 1))
        let rows = picture.map { "|" + String($0) + "|" }
        let borders = [title, "[\(hash.rawValue)]"].map { border(around: $0, width: width) }
        return ([borders[0]] + rows + [borders[1]]).joined(separator: "\n")
    }

    private func digest(_ hash: FingerprintHash) -> [UInt8] {
        switch hash {
        case .md5: Array(Insecure.MD5.hash(data: blob))
        case .sha1: Array(Insecure.SHA1.hash(data: blob))
        case .sha256: Array(SHA256.hash(data: blob))
        case .sha384: Array(SHA384.hash(data: blob))
        case .sha512: Array(SHA512.hash(data: blob))
        }
    }
}

private func border(around title: String, width: Int) -> String {
    let left = (width - title.count) / 2
    let right = width - title.count - left
    return "+" + String(repeating: "-", count: left) + title
        + String(repeating: "-", count: right) + "+"
}

private func hexadecimal(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "0\(digits)" : digits
}

/// One mark per number of visits.
private let visitMarks = Array(" .o+=*BOX@%&#/^")
private let mostVisits = visitMarks.count - 1
