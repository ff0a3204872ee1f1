internal import Posix

/// Joins a socket, which libssh needs, to the two pipes that a proxy command expects, as ssh gives
/// it: programs tell the two apart (sshd names its peer, bash runs `~/.bashrc` for a socket).
final class PipeJoint {
    private var input: Descriptor?
    private var output: Descriptor?
    private var socket: Descriptor?
    private let toCommand: ByteFlow
    private let fromCommand: ByteFlow

    /// Joins them; all are ours and become non-blocking.
    /// - Parameters:
    ///   - socket: the end of a socket pair whose other end carries the connection.
    ///   - input: the end of a pipe that is the command's standard input.
    ///   - output: the end of a pipe that is the command's standard output.
    /// - Throws: `SystemError`.
    init(
        _ socket: consuming Descriptor,
        input: consuming Descriptor,
        output: consuming Descriptor
    ) throws(SystemError) {
        for number in [socket.number, input.number, output.number] { try setNonBlocking(number) }
        toCommand = ByteFlow(from: socket.number, to: input.number)
        fromCommand = ByteFlow(from: output.number, to: socket.number)
        self.socket = consume socket
        self.input = consume input
        self.output = consume output
    }

    func watch(_ set: inout PollSet) {
        toCommand.watch(&set)
        fromCommand.watch(&set)
    }

    /// Carries what there is; an end on one side is passed on to the other.
    func advance(_ set: PollSet) {
        toCommand.advance(set)
        fromCommand.advance(set)
        if toCommand.isOver { input = nil }
        if fromCommand.isOver, output != nil {
            output = nil
            if let number = socketNumber { try? shutDownWriting(number) }
        }
    }

    private var socketNumber: Int32? {
        switch socket {
        case .some(let socket): socket.number
        case .none: nil
        }
    }
}
