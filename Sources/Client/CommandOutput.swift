internal import Posix
internal import SSH

extension Connection {
    /// Runs a command of ours over there and takes what it says on standard output.
    /// - Parameters:
    ///   - command: for the user's shell.
    ///   - context: what the run shares.
    ///   - patience: how long it may take.
    ///   - isEnough: whether what has come will do.
    /// - Returns: what has come by then, and no more than 256 KB.
    /// - Throws: the fault that kept it from starting.
    func output(
        of command: String,
        in context: Context,
        within patience: Duration,
        until isEnough: ([UInt8]) -> Bool = { _ in false }
    ) throws -> [UInt8] {
        let channel = try SessionStart(
            SessionRequest(task: .command(Array(command.utf8))),
            on: session,
            trace: context.trace
        ).wait(in: context.poller)
        var output: [UInt8] = []
        unsafe channel.onData = { bytes, _ in
            if output.count < mostOutput { output += unsafe Array(bytes) }
            return bytes.count
        }
        _ = try context.poller.wait(until: readClock() + patience) {
            let isOver = channel.isClosed || session.failure != nil || isEnough(output)
            return isOver ? Attempt<Void>.done(()) : .again
        }
        return output
    }
}

private let mostOutput = 256 << 10
