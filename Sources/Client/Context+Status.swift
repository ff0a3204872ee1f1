internal import Faults
internal import Posix
internal import Terminal

extension Context {
    /// A line that tells what is waited for: on a terminal, and where `-v` does not tell it anyway.
    func statusLine() -> StatusLine {
        let isTold = trace.level == .info && isTerminal(2)
        let columns = WindowSize.of(2)?.columns ?? 80
        return StatusLine(isTold ? .terminal(columns: Int(columns)) : .silent) { text in
            // Nobody is left to tell if standard error is closed.
            try? writeAll(2, Array(text.utf8))
        }
    }
}
