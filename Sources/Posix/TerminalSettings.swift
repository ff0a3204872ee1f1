internal import Glibc

/// The modes of a terminal: echo, line editing, what control characters do.
///
/// C: `termios`.
public struct TerminalSettings: Sendable {
    /// When changed modes begin to count.
    public enum Moment: Sendable {
        /// At once.
        case now
        /// After all output is written (TCSADRAIN).
        case drained
        /// After all output is written; what was typed and not read yet is dropped (TCSAFLUSH).
        case flushed

        var action: Int32 {
            switch self {
            case .now: TCSANOW
            case .drained: TCSADRAIN
            case .flushed: TCSAFLUSH
            }
        }
    }

    var modes: termios

    /// Reads the modes of a terminal.
    ///
    /// C: `tcgetattr`.
    /// - Parameter number: an open terminal.
    /// - Throws: ``SystemError``; ENOTTY when it is none.
    public init(of number: Int32) throws(SystemError) {
        var modes = termios()
        try call("tcgetattr") { unsafe tcgetattr(number, &modes) }
        self.modes = modes
    }

    /// Gives a terminal these modes; done by a background process, it raises SIGTTOU.
    ///
    /// C: `tcsetattr`.
    /// - Parameters:
    ///   - number: an open terminal.
    ///   - moment: when they begin to count.
    /// - Throws: ``SystemError``; EINTR when a signal came, EIO when the terminal is gone.
    public func apply(to number: Int32, _ moment: Moment) throws(SystemError) {
        var modes = modes
        if unsafe tcsetattr(number, moment.action, &modes) == -1 {
            throw SystemError("tcsetattr", code: errno)
        }
    }

    /// The same without showing what is typed, for passwords (readpassphrase(3)).
    public var withoutEcho: TerminalSettings {
        var hidden = self
        hidden.modes.c_lflag &= ~tcflag_t(ECHO | ECHONL)
        return hidden
    }

    /// The same with every byte passed on as it is typed (OpenSSH's sshtty.c).
    public var raw: TerminalSettings {
        var raw = self
        raw.modes.c_iflag |= tcflag_t(IGNPAR)
        raw.modes.c_iflag &= ~tcflag_t(
            ISTRIP | INLCR | IGNCR | ICRNL | IXON | IXANY | IXOFF | upperCaseInput
        )
        raw.modes.c_lflag &= ~tcflag_t(ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHONL | IEXTEN)
        raw.modes.c_oflag &= ~tcflag_t(OPOST)
        unsafe withUnsafeMutableBytes(of: &raw.modes.c_cc) { characters in
            unsafe characters[Int(VMIN)] = 1
            unsafe characters[Int(VTIME)] = 0
        }
        return raw
    }

    /// Whether what is typed is shown.
    public var hasEcho: Bool { modes.c_lflag & tcflag_t(ECHO) != 0 }
    /// Whether input comes in lines that can be edited, as opposed to raw.
    public var isCanonical: Bool { modes.c_lflag & tcflag_t(ICANON) != 0 }
}

/// IUCLC of termios.h, which glibc shows by feature macro only.
let upperCaseInput: Int32 = 0o1000
