internal import CLibSSH
public import Posix

extension Session {
    /// Logs in with a key that somebody else signs with: an agent, a token, ourselves.
    ///
    /// The key is offered first and signed with only when the server takes it. The call in which
    /// that happens waits for the signer.
    /// - Parameters:
    ///   - user: who to log in as.
    ///   - key: the public key or certificate shown to the server.
    ///   - sign: signs, on another thread.
    /// - Returns: the server's answer.
    /// - Throws: ``SSHError/notSigned`` when the server would have taken the key but `sign` gave
    ///   nothing; the session's failure.  C: `ssh_userauth_agent`.
    public func authenticate(
        user: String,
        key: UserKey,
        sign: @escaping Signer
    ) throws(SSHError) -> Attempt<LoginReply> {
        if let failure { throw failure }
        let agent = try agentAnswering(key, sign)
        let reply: Attempt<LoginReply>
        do throws(SSHError) {
            reply = try attempt { unsafe ssh_userauth_agent(handle, user) }
        } catch {
            finishAgent(agent)
            // libssh reports a signature it did not get as a lack of memory.
            throw failure ?? (notes.isKeyAccepted ? .notSigned : error)
        }
        if case .done = reply { finishAgent(agent) }
        return reply
    }

    /// The agent of the attempt that goes on, or one for a new attempt.
    private func agentAnswering(
        _ key: UserKey,
        _ sign: @escaping Signer
    ) throws(SSHError) -> OurAgent {
        if let agent = ourAgent, isAgentAnswering { return agent }
        do throws(SystemError) {
            let agent = try makeOurAgent()
            try agent.begin(
                AgentIdentity(blob: key.blob, comment: key.algorithm),
                rsa: unannouncedRSA,
                sign
            )
            notes.isKeyAccepted = false
            isAgentAnswering = true
            return agent
        } catch {
            throw .refused(error.summary)
        }
    }

    private func makeOurAgent() throws(SystemError) -> OurAgent {
        if let ourAgent { return ourAgent }
        let agent = try OurAgent()
        unsafe ssh_set_agent_socket(handle, agent.librarysEnd)
        ourAgent = agent
        return agent
    }

    private func finishAgent(_ agent: OurAgent) {
        agent.stop()
        isAgentAnswering = false
    }
}
