internal import Posix
internal import SSH
internal import Ways

/// A shell of Systems Manager's, or a command on a terminal, as a channel.
final class AgentShell: AgentChannel {
    /// What carries it.
    let way: SystemsManagerWay
    private var mark: CommandMark?

    /// - Parameters:
    ///   - way: an open session.
    ///   - mark: tells a command's status; nil for a shell.
    /// - Throws: ``Posix/SystemError``.
    init(_ way: SystemsManagerWay, _ mark: CommandMark?) throws(SystemError) {
        self.way = way
        self.mark = mark
        super.init()
        if let socket = way.take() { try take(socket) }
    }

    /// A shell that was ended in order has no status to tell; that of a command is at its end.
    override var exitStatus: Int? {
        guard isClosed, way.broken == nil else { return nil }
        return mark == nil ? 0 : mark?.status
    }

    /// Not before the tunnel has said why it ended.
    override var isClosed: Bool { super.isClosed && way.isFinished }

    override func filter(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        unsafe mark?.filter(bytes) ?? Array(bytes)
    }

    override func lastBytes() -> [UInt8] { mark?.finish() ?? [] }

    /// The agent's terminal is one of its own kind; the size is ours, and nothing is typed before.
    override func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        changeWindow(columns: columns, rows: rows)
        return .done(true)
    }

    override func shell() throws(SSHError) -> Attempt<Bool> { .done(true) }

    /// It is there since the session began, and waits for the terminal's size.
    override func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> {
        let line = CommandMark.go
        let written = unsafe line.withUnsafeBytes { bytes in
            Result { () throws(SSHError) in unsafe try write(bytes) }
        }
        return try written.get() == line.count ? .done(true) : .again
    }

    override func changeWindow(columns: Int, rows: Int) {
        way.resize(columns: columns, rows: rows)
    }
}
