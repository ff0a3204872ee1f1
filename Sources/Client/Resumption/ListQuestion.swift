internal import Faults
internal import Posix
internal import Resume
internal import SSH

/// Asks a host which sessions of the account there are on it.
struct ListQuestion {
    private static let limit = Duration.seconds(30)

    private final class Answer {
        var list = ResumeList()
        var fault: ResumeError?
    }

    /// Asks, and waits for the answer.
    /// - Parameters:
    ///   - session: a connection that is logged in.
    ///   - context: what the run shares.
    /// - Returns: all there are.
    /// - Throws: ``SessionsUnknown`` when the host cannot say; what ended the connection.
    func ask(_ session: any ChannelCarrier, in context: Context) throws -> [ResumeListing] {
        let request = SessionRequest(task: .command(Array(Bootstrap.command.utf8)))
        let channel = try SessionStart(request, on: session, trace: context.trace)
            .wait(in: context.poller)
        let answer = Answer()
        unsafe channel.onData = { bytes, isError in
            if isError || answer.fault != nil { return bytes.count }
            let elements = unsafe bytes.assumingMemoryBound(to: UInt8.self)
            do throws(ResumeError) {
                try answer.list.receive(unsafe elements.span)
            } catch {
                answer.fault = error
            }
            return bytes.count
        }
        channel.drain()
        var rest = ResumeList.request[...]
        let isDone: Void? = try context.poller.wait(until: readClock() + ListQuestion.limit) {
            () -> Attempt<Void> in
            if let failure = session.failure { throw failure }
            while !rest.isEmpty, channel.canWrite {
                let taken = try unsafe rest.withUnsafeBytes { unsafe try channel.write($0) }
                if taken == 0 { break }
                rest = rest.dropFirst(taken)
            }
            let list = answer.list
            let isOver = list.isComplete || list.refusal != nil || answer.fault != nil
            return isOver || channel.isClosed ? .done(()) : .again
        }
        _ = channel.close()
        if answer.list.isComplete { return answer.list.listings }
        let reason =
            answer.list.refusal.map { printable($0.text) } ?? answer.fault?.summary
            ?? (isDone == nil ? "no answer came" : "the account runs no commands, or not ours")
        throw SessionsUnknown(reason: reason)
    }
}

/// Says that a host cannot tell its sessions.
struct SessionsUnknown: Fault {
    let reason: String
    var layer: Layer { .channel }
    var summary: String { "the host does not tell which sessions it has: \(reason)" }
}
