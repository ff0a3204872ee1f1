internal import Faults
internal import Posix
internal import SSH

/// Opens a session channel and asks for what a request says, one after the other.
///
/// It never waits: whoever lives in the loop calls ``step()`` each turn.
final class SessionStart {
    /// Called when the channel is open, before anything is asked for.
    var onOpen: () -> Void = {}
    /// Called when the server gives no terminal; what it throws ends the start.
    var onPtyRefused: () throws -> Void

    private enum Step {
        case open
        case x11(X11Request)
        case agent
        case pty(SessionRequest.Pty)
        case variable(name: String, value: String)
        case task(Plan.Task)
    }

    private let channel: any Channel
    private let trace: Trace
    private var steps: ArraySlice<Step>

    /// Prepares a start; nothing is sent yet.
    /// - Parameters:
    ///   - request: what to ask for.
    ///   - session: the connection.
    ///   - trace: the run's trace.
    init(_ request: SessionRequest, on session: any ChannelCarrier, trace: Trace) {
        channel = session.openSession()
        self.trace = trace
        steps = ArraySlice(
            [.open] + (request.x11.map { [.x11($0)] } ?? [])
                + (request.forwardsAgent ? [.agent] : []) + (request.pty.map { [.pty($0)] } ?? [])
                + request.environment.map { .variable(name: $0.name, value: $0.value) }
                + [.task(request.task)]
        )
        onPtyRefused = {
            let refusal = ChannelFault.requestRefused("PTY allocation")
            if request.pty?.isRequired == true { throw refusal }
            refusal.words?.forEach { trace.say(.error, $0) }
        }
        for variable in request.environment {
            trace.debug(.debug1, .channel, "Sending environment: \(variable.name)")
        }
    }

    /// Goes on as far as the server has answered.
    /// - Returns: the channel with the task running; ``Attempt/again`` until then.
    /// - Throws: ``ChannelFault`` when the server refuses, or whatever ends the connection.
    func step() throws -> Attempt<any Channel> {
        while let step = steps.first {
            guard case .done = try perform(step) else { return .again }
            steps.removeFirst()
        }
        return .done(channel)
    }

    /// Takes turns until the task runs; not for what lives in the loop itself.
    /// - Returns: the channel with the task running.
    /// - Throws: as ``step()``.
    func wait(in poller: Poller) throws -> any Channel {
        guard let channel = try poller.wait(for: step) else {
            preconditionFailure("there is no deadline to pass")
        }
        return channel
    }

    private func perform(_ step: Step) throws -> Attempt<Void> {
        switch step {
        case .open:
            guard case .done = try channel.open() else { return .again }
            onOpen()
            return .done(())
        case .x11(let x11): return try requestX11(x11)
        case .agent:
            trace.debug(.debug1, .channel, "Requesting authentication agent forwarding.")
            channel.requestAgent()
            return .done(())
        case .pty(let pty):
            let columns = Int(pty.size.columns)
            let rows = Int(pty.size.rows)
            guard
                case .done(let isAccepted) = try channel.requestPty(
                    term: pty.term,
                    columns: columns,
                    rows: rows,
                    modes: pty.modes
                )
            else { return .again }
            if !isAccepted { try onPtyRefused() }
            return .done(())
        case .variable(let name, let value):
            // The server's AcceptEnv decides, and nobody is told.
            guard case .done = try channel.setEnvironment(name, value) else { return .again }
            return .done(())
        case .task(let task): return try begin(task)
        }
    }

    private func requestX11(_ x11: X11Request) throws -> Attempt<Void> {
        let answer = try channel.requestX11(
            protocol: x11.cookie.name,
            cookie: x11.cookie.hexadecimal,
            screen: x11.screen
        )
        guard case .done(let isAccepted) = answer else { return .again }
        if !isAccepted {
            let refusal = ChannelFault.requestRefused("X11 forwarding")
            refusal.words?.forEach { trace.say(.error, $0) }
        }
        return .done(())
    }

    private func begin(_ task: Plan.Task) throws -> Attempt<Void> {
        switch task {
        case .shell: try require("shell", channel.shell())
        case .command(let words): try require("exec", channel.execute(words))
        case .subsystem(let name):
            try require("subsystem", channel.subsystem(String(decoding: name, as: UTF8.self)))
        case .hold, .forward:
            preconditionFailure("only tasks in a session channel are requested")
        }
    }

    private func require(_ name: String, _ answer: Attempt<Bool>) throws -> Attempt<Void> {
        guard case .done(let isAccepted) = answer else { return .again }
        if !isAccepted { throw ChannelFault.requestRefused(name) }
        return .done(())
    }
}
