internal import Posix

/// Reads a SOCKS client's request, version 4, 4a or 5, without doing any I/O.
///
/// Valid transitions are:
///
///     greeting ── 04 … ──────────────────────────────▶ connect | failed
///        └────── 05, a list with "no authentication" ──▶ request ──▶ connect | failed
///
/// As in OpenSSH only CONNECT is answered, and with success before the connection was tried: one
/// that fails is closed (channels.c, `channel_decode_socks4`, `channel_decode_socks5`).
struct Socks {
    /// What to do after some bytes.
    enum Step: Equatable {
        /// These bytes go back to the client, which has more to say.
        case more(reply: [UInt8])
        /// The client wants this connection. `reply` goes back when it stands; `rest` came after the
        /// request and is for the other end.
        case connect(host: String, port: UInt16, reply: [UInt8], rest: [UInt8])
        /// This is no request that can be met: what was wrong.
        case failed(String)
    }

    private enum Phase {
        case greeting
        case request
        case over
    }

    /// No longer than this is a name or user (OpenSSH's limit for version 4).
    private static let longestText = 1024

    private var phase = Phase.greeting
    private var bytes: [UInt8] = []

    /// Takes what the client said.
    /// - Parameter new: any part of it.
    /// - Returns: what to do; after a connection or a failure nothing more is to be given.
    mutating func take(_ new: some Collection<UInt8>) -> Step {
        bytes += new
        var reply: [UInt8] = []
        while true {
            let before = phase
            switch next() {
            case .more(let part):
                reply += part
                if phase == before { return .more(reply: reply) }
            case .connect(let host, let port, let part, let rest):
                return .connect(host: host, port: port, reply: reply + part, rest: rest)
            case .failed(let reason): return .failed(reason)
            }
        }
    }

    private mutating func next() -> Step {
        switch (phase, bytes.first) {
        case (_, nil): return .more(reply: [])
        case (.greeting, 4): return version4()
        case (.greeting, 5): return methods()
        case (.request, 5): return version5()
        case (_, let version?): return failed("version \(version)")
        }
    }

    private mutating func failed(_ reason: String) -> Step {
        phase = .over
        bytes = []
        return .failed(reason)
    }

    private mutating func connect(
        _ host: String,
        _ port: UInt16,
        reply: [UInt8],
        rest: some Collection<UInt8>
    ) -> Step {
        phase = .over
        bytes = []
        return .connect(host: host, port: port, reply: reply, rest: Array(rest))
    }

    // MARK: - Version 4: 04 01 PORT(2) ADDRESS(4) USER 00 [NAME 00]

    private mutating func version4() -> Step {
        guard bytes.count >= 8 else { return .more(reply: []) }
        let address = Array(bytes[4..<8])
        let hasName = address.starts(with: [0, 0, 0]) && address != [0, 0, 0, 0]
        var rest = bytes[8...]
        guard Socks.text(&rest) != nil else { return unfinished(rest) }
        var host = addressText(address)
        if hasName {
            guard let name = Socks.text(&rest) else { return unfinished(rest) }
            host = String(decoding: name, as: UTF8.self)
        }
        guard bytes[1] == 1, let host else { return failed("command \(bytes[1])") }
        let port = UInt16(bytes[2]) << 8 | UInt16(bytes[3])
        return connect(host, port, reply: [0, 90, 0, 0, 0, 0, 0, 0], rest: rest)
    }

    private mutating func unfinished(_ rest: ArraySlice<UInt8>) -> Step {
        rest.count > Socks.longestText ? failed("a text without an end") : .more(reply: [])
    }

    /// Takes a text off that ends with a zero.
    /// - Returns: nil as long as the zero has not come.
    private static func text(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let end = rest.prefix(longestText + 1).firstIndex(of: 0) else { return nil }
        let text = rest[..<end]
        rest = rest[(end + 1)...]
        return text
    }

    // MARK: - Version 5 (RFC 1928): 05 COUNT METHOD…, then 05 01 00 KIND ADDRESS PORT(2)

    private mutating func methods() -> Step {
        guard bytes.count >= 2, bytes.count >= 2 + Int(bytes[1]) else { return .more(reply: []) }
        let end = 2 + Int(bytes[1])
        guard bytes[2..<end].contains(0) else { return failed("no method without a password") }
        bytes.removeFirst(end)
        phase = .request
        return .more(reply: [5, 0])
    }

    private mutating func version5() -> Step {
        guard bytes.count >= 5 else { return .more(reply: []) }
        guard bytes[1] == 1, bytes[2] == 0 else { return failed("command \(bytes[1])") }
        let start: Int
        let length: Int
        switch bytes[3] {
        case 1: (start, length) = (4, 4)
        case 3: (start, length) = (5, Int(bytes[4]))
        case 4: (start, length) = (4, 16)
        case let kind: return failed("address of kind \(kind)")
        }
        let end = start + length
        guard bytes.count >= end + 2 else { return .more(reply: []) }
        let address = Array(bytes[start..<end])
        // A name ends at a zero, as it does in a C string.
        let name = String(decoding: address.prefix { $0 != 0 }, as: UTF8.self)
        let host = bytes[3] == 3 ? name : addressText(address) ?? name
        let port = UInt16(bytes[end]) << 8 | UInt16(bytes[end + 1])
        let reply: [UInt8] = [5, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        return connect(host, port, reply: reply, rest: bytes[(end + 2)...])
    }
}
