/// What comes over the numbered stream.
extension ResumeSession {
    mutating func take(_ piece: FrameScanner.Piece) throws(ResumeError) -> Event? {
        switch piece {
        case .flowing(let type, let stream, _, let place):
            return try takeData(type, UInt32(truncatingIfNeeded: stream), place)
        case .whole(let type, let payload):
            var reader = WireReader(payload)
            let event = try take(type, &reader)
            try reader.finish()
            return event
        }
    }

    private mutating func takeData(
        _ type: UInt8,
        _ stream: UInt32,
        _ place: Range<Int>
    ) throws(ResumeError) -> Event? {
        if stream == ResumeSession.main {
            try main.receive(place.count)
            return type == StreamFrame.standardError ? .errorOutput(place) : .output(place)
        }
        guard type == StreamFrame.data else { throw .malformed("STDERR for stream \(stream)") }
        guard var flow = try known(stream) else { return nil }
        try flow.receive(place.count)
        streams[stream] = flow
        return flow.hasSentClose ? nil : .data(stream, place)
    }

    /// The state of a forwarded connection; nil when it is over.
    private func known(_ stream: UInt32) throws(ResumeError) -> StreamFlow? {
        if let flow = streams[stream] { return flow }
        let isPast = stream % 2 == 0 ? stream < nextStream : stream <= highestOffer
        if !isPast || stream == ResumeSession.main {
            throw .malformed("a frame for stream \(stream), which never was")
        }
        return nil
    }

    private mutating func take(
        _ type: UInt8,
        _ reader: inout WireReader
    ) throws(ResumeError) -> Event? {
        switch type {
        case StreamFrame.skipped: return .skipped(try reader.number(UInt64.self))
        case StreamFrame.exit:
            try noteExited()
            return .exited(.status(try reader.number(UInt32.self)))
        case StreamFrame.exitSignal:
            try noteExited()
            let name = try reader.text()
            let coreDumped = try reader.number(UInt8.self) != 0
            return .exited(
                .signal(name: name, coreDumped: coreDumped, text: try reader.text())
            )
        case StreamFrame.listening:
            let listener = try reader.number(UInt32.self)
            return .listening(listener, port: try reader.number(UInt32.self))
        case StreamFrame.notListening:
            let listener = try reader.number(UInt32.self)
            return .notListening(listener, text: try reader.text())
        case StreamFrame.open: return try takeOffer(&reader)
        default:
            return try take(type, for: try reader.number(UInt32.self), &reader)
        }
    }

    private mutating func take(
        _ type: UInt8,
        for stream: UInt32,
        _ reader: inout WireReader
    ) throws(ResumeError) -> Event? {
        switch type {
        case StreamFrame.window:
            let count = try reader.number(UInt32.self)
            if stream == ResumeSession.main {
                try main.raise(count)
            } else if var flow = try known(stream) {
                try flow.raise(count)
                streams[stream] = flow
            }
            return nil
        case StreamFrame.eof: return try takeEnd(of: stream)
        case StreamFrame.opened:
            let window = try reader.number(UInt32.self)
            guard var flow = try known(stream) else { return nil }
            if flow.isOpen { throw .malformed("stream \(stream) is opened once more") }
            flow.isOpen = true
            try flow.raise(window)
            streams[stream] = flow
            return flow.hasSentClose ? nil : .opened(stream)
        case StreamFrame.refused:
            let reason = try reader.number(UInt8.self)
            let text = try reader.text()
            guard let flow = try known(stream) else { return nil }
            if flow.isOpen { throw .malformed("stream \(stream) is refused, and open") }
            streams[stream] = nil
            return flow.hasSentClose ? nil : .openRefused(stream, reason: reason, text: text)
        case StreamFrame.close: return try takeClose(stream, try reader.number(UInt8.self) != 0)
        default: throw .malformed("a frame of type \(type) in the stream")
        }
    }

    private mutating func takeEnd(of stream: UInt32) throws(ResumeError) -> Event? {
        if stream == ResumeSession.main {
            if main.hasReceivedEOF { throw .malformed("a second end of the output") }
            main.hasReceivedEOF = true
            return .outputEnded
        }
        guard var flow = try known(stream) else { return nil }
        guard flow.isOpen, !flow.hasReceivedEOF else {
            throw .malformed("a second end of stream \(stream)")
        }
        flow.hasReceivedEOF = true
        streams[stream] = flow
        return flow.hasSentClose ? nil : .ended(stream)
    }

    private mutating func takeClose(
        _ stream: UInt32,
        _ isReset: Bool
    ) throws(ResumeError) -> Event? {
        guard let flow = try known(stream) else { return nil }
        if !flow.isOpen { throw .malformed("stream \(stream) is closed, and not open") }
        forget(stream)
        if flow.hasSentClose { return nil }
        put(StreamFrame.make(close: stream, isReset: false))
        return .closed(stream, isReset: isReset)
    }

    private mutating func takeOffer(_ reader: inout WireReader) throws(ResumeError) -> Event? {
        let stream = try reader.number(UInt32.self)
        let window = try reader.number(UInt32.self)
        let kind = try reader.number(UInt8.self)
        let host = try reader.text()
        let port = try reader.number(UInt32.self)
        let originator = try reader.text()
        let originatorPort = try reader.number(UInt32.self)
        let listener = try reader.number(UInt32.self)
        guard stream % 2 == 1, stream > highestOffer, kind == 3 else {
            throw .malformed("stream \(stream) cannot be opened from there")
        }
        highestOffer = stream
        guard offers < ResumeSession.offerLimit else {
            // RFC 4254 §5.1: SSH_OPEN_RESOURCE_SHORTAGE.
            put(StreamFrame.make(refused: stream, 4, "too many connections at a time"))
            return nil
        }
        offers += 1
        var flow = StreamFlow(credit: 0, window: ResumeSession.forwardWindow, isOpen: false)
        try flow.raise(window)
        streams[stream] = flow
        return .offered(
            Offer(
                stream: stream,
                listener: listener,
                host: host,
                port: port,
                originator: originator,
                originatorPort: originatorPort
            )
        )
    }

    mutating func forget(_ stream: UInt32) {
        guard streams.removeValue(forKey: stream) != nil else { return }
        if stream % 2 == 1 { offers -= 1 }
    }
}
