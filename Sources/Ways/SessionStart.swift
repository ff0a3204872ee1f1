internal import AWS
internal import Faults
internal import SessionManager

/// Starts a session that leads to a port.
enum SessionStart {
    /// - Returns: the session, and what its data channel is to be.
    /// - Throws: ``WayError``.
    static func start(
        _ parameters: SystemsManagerParameters,
        _ control: TunnelControl,
        _ caller: any ServiceCaller
    ) async throws(WayError) -> (session: ManagedSession, purpose: DataChannel.Purpose) {
        let port = "\(parameters.port)"
        do throws(ServiceError) {
            let session = try await caller.startSession(
                with: parameters.instance,
                document: document,
                ["portNumber": port]
            )
            control.say("Session \(session.id) with \(parameters.instance).")
            return (session, .port)
        } catch {
            guard case .denied = error.kind, error.message.contains(document) else {
                throw fault(error, parameters)
            }
            control.say("\(document) is not allowed; trying \(forwarding).")
        }
        do throws(ServiceError) {
            let session = try await caller.startSession(
                with: parameters.instance,
                document: forwarding,
                ["portNumber": port, "localPortNumber": "0"]
            )
            control.say("Session \(session.id) with \(parameters.instance).")
            return (session, .forwardedPort)
        } catch {
            throw fault(error, parameters)
        }
    }

    private static let document = "AWS-StartSSHSession"
    private static let forwarding = "AWS-StartPortForwardingSession"

    private static func fault(
        _ error: ServiceError,
        _ parameters: SystemsManagerParameters
    ) -> WayError {
        guard error.code == "TargetNotConnected" else { return WayError(error) }
        return WayError(
            .notOffered,
            .aws,
            "\(parameters.instance) is not connected to Systems Manager",
            hint: .advice(
                "it needs a running SSM agent, a role with AmazonSSMManagedInstanceCore, and a way "
                    + "to AWS's endpoints"
            ),
            cause: error
        )
    }
}

extension DataChannel.Ending {
    /// Why a session that ended too soon is no way in.
    func fault(_ parameters: SystemsManagerParameters) -> WayError {
        let place = "\(parameters.instance) port \(parameters.port)"
        switch self {
        case .byPeer(let text) where isRefusal(text):
            return WayError(
                .refused,
                .network,
                "Systems Manager: \(visible(text.utf8.prefix(300))): \(place)",
                hint: .advice("see whether sshd is running on the instance, and on which port")
            )
        case .byPeer(let text):
            let words = text.isEmpty ? "the session was closed" : visible(text.utf8.prefix(300))
            return WayError(.serviceFailed, .aws, "Systems Manager: \(words): \(place)")
        case .silent:
            return WayError(
                .timedOut,
                .network,
                "Systems Manager: the agent does not answer: \(place)"
            )
        case .unsupported(let action):
            return WayError(
                .serviceFailed,
                .aws,
                "Systems Manager: the agent asks for \(visible(action.utf8.prefix(100)))"
            )
        }
    }
}

/// Whether the agent's words for the end of a session say that nobody listens on the port.
private func isRefusal(_ text: String) -> Bool {
    let text = text.lowercased()
    return ["connection to destination port failed", "connection refused"].contains {
        text.contains($0)
    }
}
