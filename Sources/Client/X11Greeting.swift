/// The first message of an X client behind the server, in which the cookie we gave out is replaced
/// by the real one.
///
/// The server knows only a cookie made up for it. A client that shows it has it from the server; the
/// real one never leaves this machine. (X Window System Protocol, chapter 8.)
///
/// ```
/// byte order 'B' or 'l' | unused | major 2 | minor 2 | protocol length 2 | data length 2 | unused 2
///                       | protocol, padded to 4 | data, padded to 4
/// ```
///
/// C: `x11_open_helper` in channels.c.
struct X11Greeting {
    /// What has become of the message.
    enum Outcome: Equatable {
        /// It is not complete.
        case incomplete
        /// It was right: this goes to the X server.
        case passed([UInt8])
        /// It was not; nothing may go to the X server. Says why.
        case refused(String)
    }

    private let given: X11Cookie
    private let real: X11Cookie
    private var bytes: [UInt8] = []

    /// Waits for a client's first bytes.
    /// - Parameters:
    ///   - given: what the server was told.
    ///   - real: what the X server wants; its data is as long.
    init(given: X11Cookie, real: X11Cookie) {
        self.given = given
        self.real = real
    }

    /// Takes what the client sent.
    /// - Parameter piece: the next bytes; those behind the message pass with it.
    /// - Returns: what has become of the message; not to be called again once that is certain.
    mutating func take(_ piece: some Sequence<UInt8>) -> Outcome {
        bytes += piece
        guard bytes.count >= X11Greeting.fixedLength else { return .incomplete }
        let isBigEndian: Bool
        switch bytes[0] {
        case UInt8(ascii: "B"): isBigEndian = true
        case UInt8(ascii: "l"): isBigEndian = false
        default: return .refused("Initial X11 packet contains bad byte order byte")
        }
        let number = { [bytes] (offset: Int) in
            let (high, low) = isBigEndian ? (offset, offset + 1) : (offset + 1, offset)
            return Int(bytes[high]) << 8 | Int(bytes[low])
        }
        let nameLength = number(6)
        let dataLength = number(8)
        let dataStart = X11Greeting.fixedLength + X11Greeting.padded(nameLength)
        guard bytes.count >= dataStart + X11Greeting.padded(dataLength) else { return .incomplete }
        let name = bytes[X11Greeting.fixedLength...].prefix(nameLength)
        guard name.elementsEqual(given.name.utf8) else {
            return .refused("X11 connection uses different authentication protocol.")
        }
        let dataRange = dataStart..<(dataStart + dataLength)
        guard X11Greeting.areEqual(bytes[dataRange], given.data),
            given.data.count == real.data.count
        else { return .refused("X11 auth data does not match fake data.") }
        bytes.replaceSubrange(dataRange, with: real.data)
        return .passed(bytes)
    }

    /// Compares in a time that does not tell where the first difference is.
    private static func areEqual(_ left: ArraySlice<UInt8>, _ right: [UInt8]) -> Bool {
        left.count == right.count && zip(left, right).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }

    private static func padded(_ length: Int) -> Int { (length + 3) & ~3 }

    private static let fixedLength = 12
}

/// What an X client shows to be let in: the name of a protocol, and its data, a secret.
struct X11Cookie: Equatable, Sendable {
    /// Such as ``X11Cookie/usualName``.
    let name: String
    let data: [UInt8]

    /// The only protocol that xauth makes cookies for.
    static let usualName = "MIT-MAGIC-COOKIE-1"

    /// Makes up one.
    /// - Parameters:
    ///   - name: the protocol.
    ///   - length: bytes of its data, 16 for the usual protocol.
    /// - Returns: one that nobody can guess.
    static func random(_ name: String = usualName, length: Int = 16) -> X11Cookie {
        var generator = SystemRandomNumberGenerator()
        return X11Cookie(
            name: name,
            data: (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
        )
    }

    /// The data as xauth and SSH write it.
    var hexadecimal: String {
        data.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}

extension X11Cookie {
    /// Reads the first line of what `xauth list` says: display, protocol, data in hexadecimal.
    /// - Returns: nil when there is none.
    init?(listed output: [UInt8]) {
        let line = output.prefix { $0 != UInt8(ascii: "\n") }
        let words = line.split { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        guard words.count >= 3, words[1].count <= X11Cookie.longestWord,
            words[2].count <= X11Cookie.longestWord,
            let data = X11Cookie.bytes(hexadecimal: words[2])
        else { return nil }
        self.init(name: String(decoding: words[1], as: UTF8.self), data: data)
    }

    private static func bytes(hexadecimal digits: ArraySlice<UInt8>) -> [UInt8]? {
        let values = digits.map { Character(UnicodeScalar($0)).hexDigitValue }
        let pairs = stride(from: 0, to: values.count - values.count % 2, by: 2)
        var bytes: [UInt8] = []
        for index in pairs {
            guard let high = values[index], let low = values[index + 1] else { return nil }
            bytes.append(UInt8(high << 4 | low))
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// As OpenSSH reads them.
    private static let longestWord = 511
}
