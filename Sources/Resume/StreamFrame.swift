/// The frames of L2, by their types.
enum StreamFrame {
    static let data: UInt8 = 0x01
    static let standardError: UInt8 = 0x02
    static let window: UInt8 = 0x03
    static let eof: UInt8 = 0x04
    static let close: UInt8 = 0x05
    static let size: UInt8 = 0x06
    static let signal: UInt8 = 0x07
    static let sendBreak: UInt8 = 0x08
    static let exit: UInt8 = 0x09
    static let exitSignal: UInt8 = 0x0a
    static let skipped: UInt8 = 0x0b
    static let open: UInt8 = 0x10
    static let opened: UInt8 = 0x11
    static let refused: UInt8 = 0x12
    static let listen: UInt8 = 0x18
    static let listening: UInt8 = 0x19
    static let notListening: UInt8 = 0x1a
    static let unlisten: UInt8 = 0x1b

    /// Bytes in one DATA or STDERR at most.
    static let dataLimit = 32_768
    /// The longest payload there may be.
    static let longest = 4 + dataLimit

    /// What the remote half may send.
    @Sendable static func shapeFromRemote(_ type: UInt8) -> FrameScanner.Shape? {
        switch type {
        case data, standardError: .flowing(prefix: 4, most: longest)
        case window, eof, close, exit, exitSignal, skipped, open, opened, refused, listening,
            notListening:
            .whole(most: longest)
        default: nil
        }
    }

    /// Makes a frame that has numbers of 32 bits only.
    static func make(_ type: UInt8, _ numbers: UInt32...) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(header: type, length: numbers.count * 4)
        for number in numbers { bytes.append(wire: number) }
        return bytes
    }

    /// Makes a CLOSE.
    static func make(close stream: UInt32, isReset: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(header: close, length: 5)
        bytes.append(wire: stream)
        bytes.append(isReset ? 1 : 0)
        return bytes
    }

    /// Makes a SIZE.
    static func make(size: ResumeSession.Size, redraws: Bool) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(frame: StreamFrame.size, size.bytes + [redraws ? 1 : 0])
        return bytes
    }

    /// Makes an OPEN for a connection made on this side.
    static func make(
        open stream: UInt32,
        window: Int,
        to place: ResumeSession.Place,
        originator: String,
        port originatorPort: UInt16
    ) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(wire: stream)
        payload.append(wire: UInt32(window))
        payload.append(place: place)
        payload.append(string: Array(originator.utf8))
        payload.append(wire: UInt32(originatorPort))
        payload.append(wire: UInt32(0))
        var bytes: [UInt8] = []
        bytes.append(frame: open, payload)
        return bytes
    }

    /// Makes a REFUSED.
    static func make(refused stream: UInt32, _ reason: UInt8, _ text: String) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(wire: stream)
        payload.append(reason)
        payload.append(string: Array(text.utf8.prefix(1024)))
        var bytes: [UInt8] = []
        bytes.append(frame: refused, payload)
        return bytes
    }

    /// Makes a LISTEN.
    static func make(listen listener: UInt32, at place: ResumeSession.Place) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(wire: listener)
        payload.append(place: place)
        var bytes: [UInt8] = []
        bytes.append(frame: listen, payload)
        return bytes
    }

    /// Makes a SIGNAL.
    static func make(signal name: String) -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(string: Array(name.utf8))
        var bytes: [UInt8] = []
        bytes.append(frame: signal, payload)
        return bytes
    }
}

extension [UInt8] {
    /// Puts kind, host or path, and port behind, as OPEN and LISTEN have them.
    fileprivate mutating func append(place: ResumeSession.Place) {
        switch place {
        case .tcp(let host, let port):
            append(1)
            append(string: Array(host.utf8.prefix(4096)))
            append(wire: UInt32(port))
        case .unix(let path):
            append(2)
            append(string: Array(path.utf8.prefix(4096)))
            append(wire: UInt32(0))
        }
    }
}
