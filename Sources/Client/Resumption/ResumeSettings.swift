internal import Resume
internal import SSHConfig

/// How sessions are resumed: the keywords Resume, ResumeTimeout, ResumeBuffer and ResumeOverflow.
struct ResumeSettings {
    /// How long the remote half keeps a session that nobody is attached to; nil for ever.
    let timeout: Duration?
    /// Bytes kept for replay in each direction; nil for what fits the session.
    private let buffer: Int?
    private let overflow: ResumeOverflow

    private static let pipeBuffer = 16 << 20
    private static let terminalBuffer = 4 << 20

    /// Reads them.
    /// - Returns: nil where sessions are not resumed.
    init?(_ options: Options, isInstance: Bool) {
        switch options.resume {
        case .no: return nil
        case .auto: if !isInstance { return nil }
        case .yes: break
        }
        // A process that goes on in the background has lost the threads that AWS is asked by.
        let mayFork =
            options.forkAfterAuthentication
            || options.controlPath != nil && options.controlPersist != .no
        if mayFork { return nil }
        self.init(attaching: options)
    }

    /// Reads them for a session that is there already.
    init(attaching options: Options) {
        timeout = options.resumeTimeout > 0 ? .seconds(options.resumeTimeout) : nil
        buffer = options.resumeBuffer
        overflow = options.resumeOverflow
    }

    /// How long a connection is tried to be made again.
    var patience: Duration { timeout ?? .seconds(86_400 * 365) }

    /// The window, and what happens when it is full.
    func apply(to start: inout ResumeSession.Start) {
        let isTerminal = start.pty != nil
        start.timeout = timeout
        start.window =
            buffer ?? (isTerminal ? ResumeSettings.terminalBuffer : ResumeSettings.pipeBuffer)
        start.dropsOutput = overflow == .drop || overflow == .auto && isTerminal
    }
}
