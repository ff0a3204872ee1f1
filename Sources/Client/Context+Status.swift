internal import Faults
internal import Posix
internal import Terminal

extension Context {
    /// A line that tells what is waited for: on a terminal, and where `-v` does not tell it anyway.
    func statusLine() -> StatusLine {
        let isTold = trace.level == .info && isTerminal(2)
        return statusLine(isTold ? terminalStyle : .silent)
    }

    /// A line that tells that the link is lost: on a terminal as ``statusLine()``, in scripts one
    /// line for each change.
    func linkStatus() -> StatusLine {
        if trace.level < .info { return statusLine(.silent) }
        if isTerminal(2) { return statusLine(trace.level == .info ? terminalStyle : .lines) }
        return statusLine(.lines)
    }

    private var terminalStyle: StatusLine.Style {
        .terminal(columns: Int(WindowSize.of(2)?.columns ?? 80))
    }

    private func statusLine(_ style: StatusLine.Style) -> StatusLine {
        StatusLine(style) { text in
            // Nobody is left to tell if standard error is closed.
            try? writeAll(2, Array(text.utf8))
        }
    }

    /// Tells what is waited for while something is done.
    /// - Parameters:
    ///   - text: what is waited for: lower case, no full stop.
    ///   - body: takes turns of the loop.
    /// - Returns: what the body returns.
    func showing<Value>(_ text: String, _ body: () throws -> Value) rethrows -> Value {
        let status = statusLine()
        poller.add(status)
        defer {
            status.clear()
            poller.remove(status)
        }
        status.show(text, now: readClock())
        return try body()
    }
}
