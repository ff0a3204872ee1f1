internal import Faults

extension Session {
    /// Says why libssh has given the connection up.
    func describeFailure() -> SSHError {
        var peer = parameters.peer
        peer.isLoggedIn = isLoggedIn
        if let disconnect = notes.disconnect { return disconnected(peer, disconnect) }
        let text = notes.firstError ?? libraryError
        if text.hasPrefix("HMAC error") || text.hasPrefix("Decryption error") {
            return .corruptedPacket(peer)
        }
        if let length = text.suffix(after: "Packet len too high(") {
            return .badPacketLength(peer, UInt32(length.prefix { $0.isNumber }) ?? 0)
        }
        if let banner = text.suffix(after: "No version of SSH protocol usable (banner: SSH-") {
            return .oldProtocol(peer, version: Int(banner.prefix { $0.isNumber }) ?? 0)
        }
        if let detail = text.suffix(after: "no match for method ") {
            return noCommonAlgorithm(peer, detail)
        }
        if text.hasSuffix("too large banner") {
            return .notSSH(peer, seen: "a line of more than 255 characters")
        }
        if let reason = text.suffix(after: "Socket error: ") {
            return lostConnection(peer, reason)
        }
        if let line = lineInPlaceOfBanner { return .notSSH(peer, seen: printable(line)) }
        return .protocolViolation(peer, text: text)
    }

    private func lostConnection(_ peer: SSHError.Peer, _ reason: String) -> SSHError {
        if let line = lineInPlaceOfBanner { return .notSSH(peer, seen: printable(line)) }
        var peer = peer
        peer.hasIdentified = notes.hasBanner
        guard reason == "disconnected" else { return .broken(peer, reason: reason) }
        return notes.hasBanner ? .closed(peer) : .closedBeforeBanner(parameters.peer)
    }

    /// What a server said that never said who it is.
    private var lineInPlaceOfBanner: String? {
        notes.hasBanner ? nil : notes.linesBeforeBanner.first { !$0.isEmpty }
    }

    /// Reads `CODE:TEXT`.
    private func disconnected(_ peer: SSHError.Peer, _ text: String) -> SSHError {
        let code = UInt32(text.prefix { $0.isNumber }) ?? 0
        return .disconnected(peer, code: code, text: printable(text.suffix(after: ":") ?? ""))
    }

    /// Reads `WHAT: server [NAMES], client [NAMES]`.
    private func noCommonAlgorithm(_ peer: SSHError.Peer, _ detail: String) -> SSHError {
        let offer = detail.suffix(after: "server [")?.prefix { $0 != "]" } ?? ""
        let kind = kinds.first { detail.hasPrefix($0.name) }?.kind ?? .keyExchange
        return .noCommonAlgorithm(peer, kind, offer: printable(String(offer)))
    }
}

/// libssh's names in kex.c, by their beginnings.
private let kinds: [(name: String, kind: SSHError.AlgorithmKind)] = [
    ("kex algos", .keyExchange),
    ("server host key", .hostKey),
    ("encryption", .cipher),
    ("mac", .mac),
    ("compression", .compression),
]

/// Makes text from the network harmless for a terminal.
public func printable(_ text: String) -> String { visible(text.utf8.prefix(printableLimit)) }

/// As much of a disconnect text as OpenSSH prints.
private let printableLimit = 400
