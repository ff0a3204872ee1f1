internal import SSH
internal import SSHConfig

extension ConnectionMessage {
    /// Reads one packet without its length.
    /// - Parameter packet: all of it, with its padding.
    /// - Throws: ``MuxMalformed``.
    init(packet: [UInt8]) throws(MuxMalformed) {
        guard let padding = packet.first, packet.count - 2 >= Int(padding) else {
            throw MuxMalformed(what: "packet")
        }
        var reader = FieldReader(packet.dropFirst().dropLast(Int(padding)))
        let type = try reader.byte("type")
        guard let number = ConnectionNumber(rawValue: type) else {
            self = .other(type: type, reader.rest())
            return
        }
        self = try ConnectionMessage(number, &reader)
        guard reader.isAtEnd else { throw MuxMalformed(what: "end of message \(type)") }
    }

    private init(
        _ number: ConnectionNumber,
        _ reader: inout FieldReader
    ) throws(MuxMalformed) {
        switch number {
        case .globalRequest:
            let name = try reader.text("name")
            let wantsReply = try reader.flag()
            self = .globalRequest(try GlobalRequest(name, &reader), wantsReply: wantsReply)
        case .requestSuccess: self = .requestSuccess(reader.rest())
        case .requestFailure: self = .requestFailure
        case .open: self = .open(try ChannelOpening(&reader))
        case .opened:
            self = .opened(
                channel: try reader.channel(),
                sender: try reader.number("sender"),
                window: try reader.number("window"),
                packet: try reader.number("packet")
            )
            // What a kind of channel may add (RFC 4254 §5.1).
            _ = reader.rest()
        case .openFailure:
            let channel = try reader.channel()
            let code = try reader.number("reason")
            let text = try reader.text("description")
            _ = try reader.text("language")
            self = .openFailure(channel: channel, code: code, text: text)
        case .windowAdjust:
            self = .windowAdjust(
                channel: try reader.channel(),
                count: try reader.number("count")
            )
        case .data: self = .data(channel: try reader.channel(), try reader.bytes("data"))
        case .extendedData:
            self = .extendedData(
                channel: try reader.channel(),
                type: try reader.number("stream"),
                try reader.bytes("data")
            )
        case .eof: self = .eof(channel: try reader.channel())
        case .close: self = .close(channel: try reader.channel())
        case .request:
            let channel = try reader.channel()
            let name = try reader.text("request")
            let wantsReply = try reader.flag()
            let request = try ChannelRequest(name, &reader)
            self = .request(channel: channel, request, wantsReply: wantsReply)
        case .success: self = .success(channel: try reader.channel())
        case .failure: self = .failure(channel: try reader.channel())
        }
    }
}

extension GlobalRequest {
    fileprivate init(_ name: String, _ reader: inout FieldReader) throws(MuxMalformed) {
        switch name {
        case GlobalRequest.listenName:
            self = .listen(host: try reader.text("address"), port: try reader.number("port"))
        case GlobalRequest.cancelName:
            self = .cancelListen(host: try reader.text("address"), port: try reader.number("port"))
        default: self = .other(name: name, reader.rest())
        }
    }
}

extension ChannelOpening {
    fileprivate init(_ reader: inout FieldReader) throws(MuxMalformed) {
        let name = try reader.text("kind")
        sender = try reader.number("sender")
        window = try reader.number("window")
        packet = try reader.number("packet")
        switch name {
        case Kind.sessionName: kind = .session
        case Kind.directTCPName: kind = .directTCP(try ConnectionEnds(&reader))
        case Kind.directUnixName:
            kind = .directUnix(path: try reader.text("path"))
            _ = try reader.text("reserved")
            _ = try reader.number("reserved")
        case Kind.forwardedTCPName: kind = .forwardedTCP(try ConnectionEnds(&reader))
        default: kind = .other(name: name, reader.rest())
        }
    }
}

extension ChannelOpening.ConnectionEnds {
    fileprivate init(_ reader: inout FieldReader) throws(MuxMalformed) {
        host = try reader.text("host")
        port = try reader.number("port")
        originHost = try reader.text("origin")
        originPort = try reader.number("origin's port")
    }
}

extension ChannelRequest {
    fileprivate init(_ name: String, _ reader: inout FieldReader) throws(MuxMalformed) {
        switch name {
        case ChannelRequest.ptyName:
            let term = try reader.text("TERM")
            let size = try PtySize(&reader)
            self = .pty(term: term, size, modes: try reader.bytes("modes"))
        case ChannelRequest.x11Name:
            self = .x11(
                single: try reader.flag(),
                protocol: try reader.text("protocol"),
                cookie: try reader.text("cookie"),
                screen: try reader.number("screen")
            )
        case ChannelRequest.agentName: self = .agent
        case ChannelRequest.variableName:
            self = .variable(name: try reader.text("name"), value: try reader.text("value"))
        case ChannelRequest.shellName: self = .shell
        case ChannelRequest.executeName: self = .execute(try reader.bytes("command"))
        case ChannelRequest.subsystemName: self = .subsystem(try reader.text("subsystem"))
        case ChannelRequest.windowChangeName: self = .windowChange(try PtySize(&reader))
        case ChannelRequest.signalName: self = .signal(try reader.text("signal"))
        case ChannelRequest.breakName: self = .sendBreak(milliseconds: try reader.number("length"))
        case ChannelRequest.exitStatusName: self = .exitStatus(try reader.number("status"))
        case ChannelRequest.exitSignalName:
            self = .exitSignal(
                name: try reader.text("signal"),
                coreDumped: try reader.flag(),
                message: try reader.text("message"),
                language: try reader.text("language")
            )
        default: self = .other(name: name, reader.rest())
        }
    }
}

extension ChannelRequest.PtySize {
    fileprivate init(_ reader: inout FieldReader) throws(MuxMalformed) {
        columns = try reader.number("columns")
        rows = try reader.number("rows")
        width = try reader.number("width")
        height = try reader.number("height")
    }
}

/// Takes fields, or says which is missing.
private struct FieldReader {
    private var reader: WireReader

    init(_ bytes: ArraySlice<UInt8>) { reader = WireReader(bytes) }

    var isAtEnd: Bool { reader.isAtEnd }

    mutating func byte(_ what: String) throws(MuxMalformed) -> UInt8 {
        guard let byte = reader.take(1)?.first else { throw MuxMalformed(what: what) }
        return byte
    }

    mutating func flag() throws(MuxMalformed) -> Bool { try byte("flag") != 0 }

    mutating func number(_ what: String) throws(MuxMalformed) -> UInt32 {
        guard let number = reader.number() else { throw MuxMalformed(what: what) }
        return number
    }

    mutating func channel() throws(MuxMalformed) -> UInt32 { try number("channel") }

    mutating func bytes(_ what: String) throws(MuxMalformed) -> [UInt8] {
        guard let bytes = reader.string() else { throw MuxMalformed(what: what) }
        return Array(bytes)
    }

    mutating func text(_ what: String) throws(MuxMalformed) -> String {
        guard let bytes = reader.string() else { throw MuxMalformed(what: what) }
        return LosslessText.string(bytes)
    }

    mutating func rest() -> [UInt8] {
        Array(reader.take(reader.remaining.count) ?? [])
    }
}
