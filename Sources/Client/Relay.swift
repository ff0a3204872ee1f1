internal import Faults
internal import Posix
internal import SSH
internal import Terminal

/// Carries bytes between a channel and the streams on this side, both ways, until both have ended.
///
/// Nothing is read that cannot be put down: towards the channel one buffer is filled and emptied,
/// and from the channel bytes go straight to their stream; what a stream does not take stays with
/// libssh, whose window then closes.
@safe final class Relay: Source {
    /// As much as one write to a channel takes.
    private static let bufferSize = 65_536
    /// Kept free when reading: an escape filter may give back a character it held before, and the
    /// end of input may be a character.
    private static let slack = 16

    /// What an escape sequence asked for, in order; the owner of the relay acts on them.
    var onEscape: (EscapeAction) throws -> Void = { _ in }
    /// Called when bytes were dropped because the reader of our output is gone (EPIPE).
    var onDroppedOutput: () -> Void = {}

    private let channel: any Channel
    private var input: (any ByteEndpoint)?
    private var output: (any ByteEndpoint)?
    private var errorOutput: (any ByteEndpoint)?
    private var escapes: EscapeFilter?
    private let trace: Trace

    private let buffer: UnsafeMutableRawBufferPointer
    /// What was read and not yet taken by the channel.
    private var waiting: Range<Int> = 0..<0
    private var endOfInput: Bool
    private var sentEnd = false
    /// Whether the reader of our output has gone.
    private var hasLostReader = false
    /// Whether the reader of our output has seen its end.
    private var gaveOutputAway = false
    /// A stream that did not take all it was given, until poll says that it does again.
    private var outputBlocked = false
    private var errorBlocked = false
    private var inputSlot: PollSet.Slot?
    private var outputSlot: PollSet.Slot?
    private var errorSlot: PollSet.Slot?

    let deadline: Instant? = nil

    /// Joins a channel to streams; the channel's data callback is the relay's from now on.
    /// - Parameters:
    ///   - channel: an open channel.
    ///   - input: what goes to the channel; nil sends nothing, and no end either.
    ///   - output: where the channel's data goes; nil drops it.
    ///   - errorOutput: where its extended data (RFC 4254 §5.2, standard error) goes.
    ///   - escapes: the filter over the input of an interactive session.
    ///   - trace: the run's trace.
    init(
        channel: any Channel,
        input: (any ByteEndpoint)?,
        output: (any ByteEndpoint)?,
        errorOutput: (any ByteEndpoint)?,
        escapes: EscapeFilter?,
        trace: Trace
    ) {
        self.channel = channel
        self.input = input
        self.output = output
        self.errorOutput = errorOutput
        self.escapes = escapes
        self.trace = trace
        endOfInput = input == nil
        unsafe buffer = .allocate(byteCount: Relay.bufferSize, alignment: 16)
        unsafe channel.onData = { [unowned self] bytes, isError in
            unsafe deliver(bytes, isError: isError)
        }
        // Input without a descriptor (`-n`) is at its end, and no event would ever tell.
        if let input, input.number == nil { endOfInput = true }
        passOnEnd()
    }

    deinit {
        unsafe buffer.deallocate()
        // The channel may live longer.
        unsafe channel.onData = { bytes, _ in bytes.count }
    }

    /// Whether the channel has ended and all it brought is put down.
    var isFinished: Bool { channel.isClosed && !outputBlocked && !errorBlocked }

    /// Ends the input although its stream goes on (escape `~&`).
    ///
    /// A Ctrl-D goes first, as OpenSSH sends it: a remote terminal does not know the channel's end.
    func endInput() {
        unsafe buffer[waiting.upperBound] = 0x04
        waiting = waiting.lowerBound..<(waiting.upperBound + 1)
        endOfInput = true
    }

    // MARK: - Source

    func watch(_ set: inout PollSet) {
        inputSlot = nil
        outputSlot = nil
        errorSlot = nil
        if let input, !endOfInput, waiting.isEmpty, channel.canWrite {
            inputSlot = input.number.map { set.watch($0, .read) }
        }
        if outputBlocked { outputSlot = output?.number.map { set.watch($0, .write) } }
        if errorBlocked { errorSlot = errorOutput?.number.map { set.watch($0, .write) } }
    }

    func ready(_ set: PollSet, now: Instant) throws {
        try putDown(set)
        try pickUp(set)
    }

    // MARK: - From the channel

    private func putDown(_ set: PollSet) throws {
        if !set[outputSlot].isEmpty { outputBlocked = false }
        if !set[errorSlot].isEmpty { errorBlocked = false }
        if !outputBlocked && !errorBlocked { channel.drain() }
        if channel.remoteEOF && !outputBlocked && !gaveOutputAway {
            output?.close()
            gaveOutputAway = true
        }
    }

    /// The channel's callback: what is not taken is offered again by `drain`.
    private func deliver(_ bytes: UnsafeRawBufferPointer, isError: Bool) -> Int {
        if isError {
            guard !errorBlocked else { return 0 }
            let taken = unsafe put(bytes, into: errorOutput)
            errorBlocked = taken.map { $0 < bytes.count } ?? false
            if taken == nil { errorOutput = nil }
            return taken ?? bytes.count
        }
        guard !outputBlocked else { return 0 }
        let taken = unsafe put(bytes, into: output)
        outputBlocked = taken.map { $0 < bytes.count } ?? false
        if taken == nil { hasLostReader = true }
        if hasLostReader {
            output = nil
            onDroppedOutput()
        }
        return taken ?? bytes.count
    }

    /// - Returns: the bytes taken; nil when nobody reads them any more.
    private func put(_ bytes: UnsafeRawBufferPointer, into stream: (any ByteEndpoint)?) -> Int? {
        guard let stream else { return bytes.count }
        var taken = 0
        do throws(SystemError) {
            while taken < bytes.count {
                let rest = unsafe UnsafeRawBufferPointer(rebasing: bytes[taken...])
                guard case .done(let count) = unsafe try stream.write(rest) else { break }
                taken += count
            }
            return taken
        } catch {
            trace.debug(.debug2, .channel, "write: \(error.reason)")
            return nil
        }
    }

    // MARK: - To the channel

    private func pickUp(_ set: PollSet) throws {
        try send()
        if let input, !set[inputSlot].isEmpty, waiting.isEmpty, !endOfInput {
            try fill(from: input)
            try send()
        }
        passOnEnd()
    }

    private func passOnEnd() {
        guard endOfInput, input != nil, waiting.isEmpty, !sentEnd, !channel.isClosed else { return }
        trace.debug(.debug2, .channel, "end of input: sending EOF")
        channel.sendEOF()
        sentEnd = true
    }

    private func fill(from input: any ByteEndpoint) throws {
        do throws(SystemError) {
            let room = unsafe UnsafeMutableRawBufferPointer(
                rebasing: buffer[..<(buffer.count - Relay.slack)]
            )
            guard case .done(let count) = unsafe try input.read(into: room) else { return }
            if count == 0 { endOfInput = true }
            waiting = 0..<count
        } catch {
            // A terminal that has gone away reads as an error (EIO); for the session it is the end.
            trace.debug(.debug1, .channel, "read: \(error.reason)")
            endOfInput = true
        }
        if escapes != nil { try filter() }
    }

    private func filter() throws {
        let typed = unsafe [UInt8](UnsafeRawBufferPointer(rebasing: buffer[waiting]))
        guard let actions = escapes?.filter(typed) else { return }
        waiting = 0..<0
        for action in actions {
            if case .send(let bytes) = action {
                unsafe buffer[waiting.upperBound...].copyBytes(from: bytes)
                waiting = 0..<(waiting.upperBound + bytes.count)
            } else {
                try onEscape(action)
            }
        }
    }

    private func send() throws {
        while !waiting.isEmpty, channel.canWrite {
            let bytes = unsafe UnsafeRawBufferPointer(rebasing: buffer[waiting])
            let taken = unsafe try channel.write(bytes)
            if taken == 0 { return }
            waiting = (waiting.lowerBound + taken)..<waiting.upperBound
        }
    }
}
