internal import AWS
internal import Faults
internal import SessionManager

/// Starts a session that leads to its target.
enum SessionStart {
    /// A document of Systems Manager, and what becomes of the data channel with it.
    private struct Document {
        var name: String?
        var parameters: KeyValuePairs<String, String> = [:]
        var purpose: DataChannel.Purpose
    }

    /// - Returns: the session, and what its data channel is to be.
    /// - Throws: ``WayError``.
    static func start(
        _ parameters: SystemsManagerParameters,
        _ control: TunnelControl,
        _ caller: any ServiceCaller
    ) async throws(WayError) -> (session: ManagedSession, purpose: DataChannel.Purpose) {
        var left = documents(for: parameters.target)[...]
        while let document = left.popFirst() {
            do throws(ServiceError) {
                let session = try await caller.startSession(
                    with: parameters.instance,
                    document: document.name,
                    document.parameters
                )
                control.say("Session \(session.id) with \(parameters.instance).")
                return (session, document.purpose)
            } catch {
                guard let name = document.name, let next = left.first?.name,
                    case .denied = error.kind, error.message.contains(name)
                else { throw fault(error, parameters) }
                control.say("\(name) is not allowed; trying \(next).")
            }
        }
        preconditionFailure("a target has a document")
    }

    /// Those that serve, the best first; the next one is for who may not use it.
    private static func documents(for target: SessionTarget) -> [Document] {
        switch target {
        case .server(let port):
            [
                Document(
                    name: "AWS-StartSSHSession",
                    parameters: ["portNumber": "\(port)"],
                    purpose: .port
                ),
                Document(
                    name: forwarding,
                    parameters: ["portNumber": "\(port)", "localPortNumber": "0"],
                    purpose: .forwardedPort
                ),
            ]
        case .port(nil, let port):
            [
                Document(
                    name: forwarding,
                    parameters: ["portNumber": "\(port)", "localPortNumber": "0"],
                    purpose: .manyConnections
                )
            ]
        case .port(let host?, let port):
            [
                Document(
                    name: "AWS-StartPortForwardingSessionToRemoteHost",
                    parameters: [
                        "host": host, "portNumber": "\(port)", "localPortNumber": "0",
                    ],
                    purpose: .manyConnections
                )
            ]
        // Without a document it is the one the account has chosen.
        case .shell: [Document(purpose: .shell)]
        case .command(let command):
            [
                Document(
                    name: "AWS-StartInteractiveCommand",
                    parameters: ["command": command],
                    purpose: .shell
                )
            ]
        }
    }

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
    /// What Systems Manager had to say at the end, for `-v`; empty when that is nothing.
    var lastWords: String {
        guard case .byPeer(let text) = self, !text.isEmpty else { return "" }
        return ": " + visible(text.utf8.prefix(300))
    }

    /// Why a session that ended too soon is no way in.
    func fault(_ parameters: SystemsManagerParameters) -> WayError {
        let place = parameters.place
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
        case .noKey(let reason):
            return WayError(
                .denied,
                .aws,
                "Systems Manager: sessions are encrypted here, and there is no key: \(reason)",
                hint: .advice("you need kms:GenerateDataKey on the key of the session preferences")
            )
        case .undecipherable:
            return WayError(
                .serviceFailed,
                .aws,
                "Systems Manager: what came was not encrypted as agreed: \(place)"
            )
        }
    }
}

/// Whether the agent's words for the end of a session say that nobody listens on the port.
private func isRefusal(_ text: String) -> Bool {
    let text = text.lowercased()
    return [
        "connection to destination port failed", "connection refused",
        "unable to connect to specified port",
    ].contains { text.contains($0) }
}
