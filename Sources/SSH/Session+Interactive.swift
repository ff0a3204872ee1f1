internal import CLibSSH
public import Posix

/// What a server asks in keyboard-interactive authentication (RFC 4256 §3.2).
public struct InteractiveRequest: Sendable, Equatable {
    /// One question.
    public struct Prompt: Sendable, Equatable {
        /// The question's text, from the server and so not safe to print as it is.
        public let text: String
        /// Whether the answer may be seen as it is typed.
        public let echo: Bool
    }

    /// A title; may be empty.
    public let name: String
    /// What to do; may be empty.
    public let instruction: String
    /// The questions; there may be none, and then an empty answer is due.
    public let prompts: [Prompt]
}

/// The server's answer to a step of keyboard-interactive authentication.
public enum InteractiveReply: Sendable, Equatable {
    /// Answer this, by ``Session/answer(_:user:)``.
    case request(InteractiveRequest)
    /// It is over.
    case reply(LoginReply)
}

extension Session {
    /// Asks the server to ask (RFC 4256 §3.1); also to be called after ``answer(_:)``.
    /// - Parameters:
    ///   - user: who to log in as.
    ///   - devices: KbdInteractiveDevices, separated by commas; empty for the server's choice.
    /// - Returns: what the server asks, or how it ended.
    /// - Throws: the session's failure.  C: `ssh_userauth_kbdint`.
    public func authenticateInteractively(
        user: String,
        devices: String
    ) throws(SSHError) -> Attempt<InteractiveReply> {
        if let failure { throw failure }
        let code = inLibrary { unsafe ssh_userauth_kbdint(handle, user, devices) }
        if ssh_auth_e(rawValue: code) == SSH_AUTH_INFO { return .done(.request(request())) }
        noteFailure()
        return switch try outcome(code, isLast: true) {
        case .again: .again
        case .done(let reply): .done(.reply(reply))
        }
    }

    /// Sets the answers to the last request; the next ``authenticateInteractively(user:devices:)``
    /// sends them.
    /// - Parameter answers: one for each prompt.
    /// - Throws: ``SSHError/refused(_:)`` when they do not fit.
    ///   C: `ssh_userauth_kbdint_setanswer`.
    public func answer(_ answers: [String]) throws(SSHError) {
        for (index, answer) in answers.enumerated() {
            let code = unsafe ssh_userauth_kbdint_setanswer(handle, UInt32(index), answer)
            if code < 0 { throw .refused(libraryError) }
        }
    }

    private func request() -> InteractiveRequest {
        let count = max(0, unsafe ssh_userauth_kbdint_getnprompts(handle))
        return unsafe InteractiveRequest(
            name: text(unsafe ssh_userauth_kbdint_getname(handle)),
            instruction: text(unsafe ssh_userauth_kbdint_getinstruction(handle)),
            prompts: (0..<UInt32(count)).map { index in
                var echo: CChar = 0
                let prompt = unsafe ssh_userauth_kbdint_getprompt(handle, index, &echo)
                return unsafe InteractiveRequest.Prompt(text: text(unsafe prompt), echo: echo != 0)
            }
        )
    }
}
