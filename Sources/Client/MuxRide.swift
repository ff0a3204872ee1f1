internal import Faults
internal import Posix
internal import SSH
internal import Terminal

/// A session, or a `-W`, that a master runs on the standard streams of one of its clients.
final class MuxRide: ChannelUser {
    /// What a ride is made of.
    struct Streams {
        var input: StandardStream
        var output: StandardStream
        /// nil for `-W`.
        var errorOutput: StandardStream?
    }

    let description: String
    let keepsConnection = true
    let deadline: Instant? = nil
    /// Whether the server gave a terminal.
    var hasTerminal = false
    /// All that lives on the connection, for `~#`.
    var listing: () -> String = { "" }
    /// Called for new keys (`~R`).
    var onRekey: () -> Void = {}
    /// Called when the channel is open and its task runs.
    var onStart: () -> Void = {}
    /// Called when it does not come to that, with the reason.
    var onFailure: (any Error) -> Void = { _ in }
    /// Called once, with the remote process's status if there was one.
    var onEnd: (Int?) -> Void = { _ in }

    private let streams: Streams
    private let trace: Trace
    private var step: (() throws -> Attempt<any Channel>)?
    private var escapes: EscapeFilter?
    private var channel: (any Channel)?
    private var relay: Relay?
    private var isCutOff = false
    private var hasEnded = false
    private let start = readClock()
    private var lostReader = LostReader()

    /// Prepares a ride; in the loop it begins.
    /// - Parameters:
    ///   - description: what it is, for `~#`.
    ///   - streams: the client's.
    ///   - escapes: the filter over the input of a terminal.
    ///   - trace: the run's trace.
    ///   - step: tried each turn until it gives the channel.
    init(
        _ description: String,
        on streams: Streams,
        escapes: EscapeFilter? = nil,
        trace: Trace,
        step: @escaping () throws -> Attempt<any Channel>
    ) {
        self.description = description
        self.streams = streams
        self.escapes = escapes
        self.trace = trace
        self.step = step
    }

    /// Tells the server the size of the client's terminal.
    func updateWindow() {
        guard hasTerminal, let number = streams.input.number,
            let size = WindowSize.of(number)
        else { return }
        channel?.changeWindow(columns: Int(size.columns), rows: Int(size.rows))
    }

    /// Ends the ride: its client has gone.
    func abandon() { isCutOff = true }

    /// Puts a line on the client's standard error, as far as it takes it now.
    func show(_ text: String) {
        let written = unsafe Array(text.utf8).withUnsafeBytes { bytes in
            Result { () throws(SystemError) in unsafe try streams.errorOutput?.write(bytes) }
        }
        if case .failure(let error) = written { trace.debug(.debug2, .channel, error.summary) }
    }

    // MARK: - Source

    func watch(_ set: inout PollSet) { relay?.watch(&set) }

    /// Begins; the answers come by the loop.
    func depart() { goOn { _ in } }

    func ready(_ set: PollSet, now: Instant) { goOn { try $0.ready(set, now: now) } }

    private func goOn(_ carry: (Relay) throws -> Void) {
        do {
            if let step { try begin(step) }
            if !isCutOff, let relay { try carry(relay) }
        } catch {
            trace.debug(.debug1, .channel, "\(description): \(error)")
            isCutOff = true
            if step != nil { onFailure(error) }
            step = nil
        }
        if lostReader.isTooLate { isCutOff = true }
        // What has begun to open can only be closed when it is open.
        if isCutOff, step == nil {
            if case .done = channel?.close() ?? .done(()) { end() }
        } else if let relay, relay.isFinished {
            end()
        }
    }

    private func begin(_ step: () throws -> Attempt<any Channel>) throws {
        guard case .done(let channel) = try step() else { return }
        self.step = nil
        self.channel = channel
        lostReader.patience = max((readClock() - start) * 4, .milliseconds(100))
        let relay = Relay(
            channel: channel,
            input: streams.input,
            output: streams.output,
            errorOutput: streams.errorOutput,
            escapes: escapes,
            trace: trace
        )
        relay.onEscape = { [unowned self] action in obey(action, channel) }
        relay.onDroppedOutput = { [unowned self] in lostReader.note(readClock()) }
        self.relay = relay
        onStart()
    }

    private func end() {
        if hasEnded { return }
        hasEnded = true
        streams.input.close()
        streams.output.close()
        streams.errorOutput?.close()
        onEnd(channel?.exitStatus)
    }

    // MARK: - Escapes

    /// What OpenSSH lets the sessions of others do.
    private func obey(_ action: EscapeAction, _ channel: any Channel) {
        switch action {
        case .disconnect: isCutOff = true
        case .show(let text): show(text)
        case .sendBreak: channel.sendBreak(1000)
        case .rekey: onRekey()
        case .listConnections: show(listing())
        case .send, .suspend, .background, .openCommandLine, .changeVerbosity: break
        }
    }
}

/// When to end a remote command that goes on writing for a reader who has gone.
///
/// What was on its way when the reader went is let by; see ``SessionLoop``.
struct LostReader {
    /// How long that may be.
    var patience = Duration.zero
    /// Whether the command is to be ended.
    private(set) var isTooLate = false

    private var since: Instant?

    /// Output was dropped.
    mutating func note(_ now: Instant) {
        guard let since else {
            since = now
            return
        }
        if now - since > patience { isTooLate = true }
    }
}
