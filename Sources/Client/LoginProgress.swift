/// Whether an ssh is still logging in, from nothing but what it sends.
///
/// Until its SSH_MSG_NEWKEYS its packets can be read (RFC 4253 §6); from there on only their bytes
/// can be counted. The time that a person takes lies between the two, for an unknown host key, or
/// behind, for a passphrase.
struct LoginProgress {
    private enum Part {
        case banner
        /// The bytes of a packet's head that have come.
        case head([UInt8])
        /// The bytes of a packet that are yet to come.
        case rest(Int, isLast: Bool)
        /// The bytes that were sent under the new keys.
        case encrypted(Int)
        /// It is no ssh that sends.
        case unknown
    }

    private static let newKeys: UInt8 = 21
    /// RFC 4253 §6.1.
    private static let largestPacket = 35_000
    /// What is sent until a person has unlocked the last of a few keys; a session that has begun has
    /// sent more.
    private static let loginSize = 900

    private var part = Part.banner

    /// Whether the login is not over, as far as can be seen.
    var isUnderWay: Bool {
        switch part {
        case .banner, .head, .rest: true
        case .encrypted(let count): count < LoginProgress.loginSize
        case .unknown: false
        }
    }

    /// Takes in what is sent next.
    mutating func note(_ bytes: some Sequence<UInt8>) {
        for byte in bytes where isUnderWay { note(byte) }
    }

    private mutating func note(_ byte: UInt8) {
        switch part {
        case .banner: if byte == UInt8(ascii: "\n") { part = .head([]) }
        case .head(let before):
            let head = before + [byte]
            // The length, the length of the padding, and the message's number.
            guard head.count == 6 else {
                part = .head(head)
                return
            }
            let length = head.prefix(4).reduce(0) { $0 << 8 | Int($1) }
            let rest = length - 2
            guard rest > 0, rest <= LoginProgress.largestPacket else {
                part = .unknown
                return
            }
            part = .rest(rest, isLast: head[5] == LoginProgress.newKeys)
        case .rest(let count, let isLast):
            if count > 1 {
                part = .rest(count - 1, isLast: isLast)
            } else {
                part = isLast ? .encrypted(0) : .head([])
            }
        case .encrypted(let count): part = .encrypted(count + 1)
        case .unknown: break
        }
    }
}
