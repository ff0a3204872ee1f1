public import Posix

/// One channel of a login: a remote process, or a connection through the server.
///
/// Order of use: `open` until done ▶ requests, one after the other ▶ data ▶ `close`. A request is
/// called again with the same arguments until it is done; another may not begin before that.
public protocol Channel: AnyObject {
    /// Takes what arrives; answers how many bytes it took, which may be 0.
    ///
    /// The second value tells standard error from standard output. Nothing in it may wait. Until it
    /// is set everything is kept; it gets that when it is set.
    var onData: (UnsafeRawBufferPointer, _ isStandardError: Bool) -> Int { get set }
    /// The remote process's status.
    var exitStatus: Int? { get }
    /// The signal the remote process died of, when the server says so.
    var exitSignal: ExitSignal? { get }

    /// Opens the channel.
    /// - Throws: ``SSHError/openRefused(code:text:)`` when the server will not; the failure of the
    ///   connection when it has ended.
    func open() throws(SSHError) -> Attempt<Void>

    /// Asks for a terminal on the other side (RFC 4254 §6.2).
    /// - Parameters:
    ///   - term: TERM's value.
    ///   - columns: width in characters.
    ///   - rows: height in characters.
    ///   - modes: the terminal's modes, to and including TTY_OP_END (RFC 4254 §8).
    /// - Returns: whether the server agreed.
    /// - Throws: the connection's failure.
    func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool>
    /// Lets programs on the server show windows on an X server of this side (RFC 4254 §6.3.1).
    /// - Parameters:
    ///   - name: the protocol of the cookie.
    ///   - cookie: its data in hexadecimal; the server keeps it, so it is not the real one.
    ///   - screen: the screen's number.
    /// - Returns: whether the server agreed.
    /// - Throws: the connection's failure.
    func requestX11(
        protocol name: String,
        cookie: String,
        screen: UInt32
    ) throws(SSHError) -> Attempt<Bool>
    /// Lets programs on the server ask the user's agent; there is no answer.
    func requestAgent()
    /// Sets an environment variable of the remote process, if the server lets it (RFC 4254 §6.4).
    func setEnvironment(_ name: String, _ value: String) throws(SSHError) -> Attempt<Bool>
    /// Starts the user's shell (RFC 4254 §6.5).
    func shell() throws(SSHError) -> Attempt<Bool>
    /// Starts a command in the user's shell (RFC 4254 §6.5).
    func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool>
    /// Starts a subsystem, such as `sftp` (RFC 4254 §6.5).
    func subsystem(_ name: String) throws(SSHError) -> Attempt<Bool>
    /// Tells the server the terminal's new size (RFC 4254 §6.7).
    func changeWindow(columns: Int, rows: Int)
    /// Sends a break on the remote terminal (RFC 4335).
    func sendBreak(_ milliseconds: UInt32)
    /// Sends a signal to the remote process (RFC 4254 §6.9); its name is without `SIG`.
    func sendSignal(_ name: String)

    /// Whether ``write(_:)`` would take something now; it becomes true in a later turn of the loop.
    var canWrite: Bool { get }
    /// Sends what can be sent now.
    /// - Returns: bytes taken; 0 when ``canWrite`` is false.
    /// - Throws: the failure of the connection; ``SSHError/refused(_:)`` when the channel is closed
    ///   or EOF was sent.
    func write(_ bytes: UnsafeRawBufferPointer) throws(SSHError) -> Int
    /// Tells the server that nothing more comes; receiving goes on (RFC 4254 §5.3).
    func sendEOF()
    /// Closes our side (RFC 4254 §5.3).
    /// - Returns: ``Attempt/again`` until that is on its way.
    func close() -> Attempt<Void>

    /// Hands on what ``onData`` did not take before; to be called when it can take more.
    func drain()
    /// Whether everything has been received and handed on that the server will send, also because
    /// the connection has ended.
    var remoteEOF: Bool { get }
    /// Whether the server has closed the channel and nothing is left to hand on.
    var isClosed: Bool { get }
}

/// Why a remote process ended without a status (RFC 4254 §6.10).
public struct ExitSignal: Sendable, Equatable {
    /// Without `SIG`, such as `TERM`.
    public let name: String
    /// Whether it left a core file.
    public let coreDumped: Bool
    /// The server's explanation.
    public let message: String

    /// Makes one of its parts.
    /// - Parameters:
    ///   - name: without `SIG`.
    ///   - coreDumped: whether it left a core file.
    ///   - message: the server's explanation.
    public init(name: String, coreDumped: Bool, message: String) {
        self.name = name
        self.coreDumped = coreDumped
        self.message = message
    }
}
