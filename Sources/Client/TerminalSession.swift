internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig
internal import Terminal

/// The user's terminal during a session with a remote one: raw mode, size, escape sequences
/// (ssh(1), ESCAPE CHARACTERS).
final class TerminalSession {
    /// Finds escape sequences; nil when EscapeChar is none.
    let escapes: EscapeFilter?

    private let work: Work
    private let channel: any Channel
    private let rawMode = RawMode()
    private let watcher: WindowSizeWatcher
    private var hasEnded = false

    private var context: Context { work.context }

    /// Makes the terminal raw and watches its size.
    init(_ work: Work, _ channel: any Channel) throws {
        self.work = work
        self.channel = channel
        escapes = work.plan.options.escapeChar.map { character in
            var setting = EscapeFilter.Setting(character: character)
            setting.allowsCommandLine = work.plan.options.enableEscapeCommandline
            return EscapeFilter(setting)
        }
        watcher = WindowSizeWatcher(
            channel: channel,
            terminal: 0,
            signals: work.context.poller.signals
        )
        enterRawMode()
        context.poller.add(watcher)
    }

    /// Gives the terminal back; may be called more than once.
    func end() {
        guard !hasEnded else { return }
        hasEnded = true
        context.poller.remove(watcher)
        do throws(SystemError) { try rawMode.leave() } catch { complain(error) }
    }

    private func enterRawMode() {
        do throws(SystemError) { try rawMode.enter() } catch { complain(error) }
    }

    /// With `-tt` there may be no terminal here at all.
    private func complain(_ error: SystemError) {
        if work.plan.options.requestTTY != .force { context.trace.say(.error, error.summary) }
    }

    /// Does what an escape sequence asks for.
    func handle(_ action: EscapeAction, _ relay: Relay) throws {
        switch action {
        case .send, .disconnect: break
        case .show(let text): show(text)
        case .suspend:
            do throws(SystemError) { try rawMode.suspend() } catch { complain(error) }
            watcher.update()
        case .background where work.plan.isTunnelled:
            show("\rThe tunnel through AWS cannot go to the background; the session goes on.\r\n")
        case .background:
            end()
            relay.endInput()
            try continueInBackground()
        case .listConnections:
            show(work.loggedIn.channels.listing)
        case .sendBreak: channel.sendBreak(1000)
        case .rekey: work.loggedIn.session.requestRekey()
        case .openCommandLine: try openCommandLine()
        case .changeVerbosity(let more): changeVerbosity(more)
        }
    }

    /// As in OpenSSH everything waits while a line is typed.
    private func openCommandLine() throws {
        do throws(SystemError) { try rawMode.leave() } catch { complain(error) }
        defer { enterRawMode() }
        guard let line = context.prompter.ask("\r\nssh> ", .visible) else { return }
        let options = work.plan.options
        try CommandLineEscape(
            line,
            permitsLocalCommand: options.permitLocalCommand,
            work.plan.environment
        ).run(over: work.loggedIn)
    }

    private func changeVerbosity(_ more: Bool) {
        let trace = context.trace
        let next = Trace.Level(rawValue: trace.level.rawValue + (more ? 1 : -1))
        if let next { trace.level = next }
        show(escapes?.verbosityText(more: more, levelName: trace.level.word) ?? "")
    }

    private func show(_ text: String) {
        do throws(SystemError) {
            try writeAll(2, Array(text.utf8))
        } catch {
            context.trace.debug(.debug1, .local, error.summary)
        }
    }
}
