internal import JSONText

/// What the agent asks of the client before a session begins, and the answer.
///
/// Source: amazon-ssm-agent, `agent/session/contracts/datachannel.go`.
struct Handshake {
    /// What a thing that was asked for has come to (`ActionStatus`).
    private enum Status: Double {
        case done = 1
        case failed = 2
        case unsupported = 3
    }

    /// The agent's version, as in `3.3.1611.0`; empty if it does not say.
    let agentVersion: String
    /// The key that the stream is to be encrypted with; nil for none.
    let keyRequest: DataKeyRequest?
    private let actions: [String]

    /// Reads the agent's request; one that cannot be read asks for nothing.
    init(_ payload: [UInt8]) {
        let request = try? JSON.parse(payload)
        agentVersion = request?["AgentVersion"]?.string ?? ""
        let asked = request?["RequestedClientActions"]?.array ?? []
        actions = asked.compactMap { $0["ActionType"]?.string }
        let encryption = asked.first { $0["ActionType"]?.string == Handshake.encryption }
        let parameters = encryption?["ActionParameters"]
        keyRequest = encryption.map { _ in
            DataKeyRequest(
                keyID: parameters?["KMSKeyId"]?.string ?? "",
                challenge: parameters?["Challenge"]?.string
            )
        }
    }

    /// The first thing that was asked for and that we cannot do.
    func unsupported(for purpose: DataChannel.Purpose) -> String? {
        actions.first { !Handshake.isSupported($0, purpose) }
    }

    /// The answer, with the data key that was asked for, or why there is none.
    func answer(
        version: String,
        _ purpose: DataChannel.Purpose,
        key: Result<DataKey, DataKeyRefusal>?
    ) -> [UInt8] {
        let processed = actions.map { name in
            var status = Handshake.isSupported(name, purpose) ? Status.done : .unsupported
            var result = JSON(.null)
            var error = status == .done ? "" : "unsupported"
            if name == Handshake.encryption, status == .done {
                switch key {
                case .success(let key): result = keyAnswer(key)
                case .failure(let refusal):
                    status = .failed
                    error = refusal.reason
                case nil: status = .unsupported
                }
            }
            return JSON.object([
                "ActionType": JSON(.string(name)),
                "ActionStatus": JSON(.number(status.rawValue)), "ActionResult": result,
                "Error": JSON(.string(error)),
            ])
        }
        let answer = JSON.object([
            "ClientVersion": JSON(.string(version)),
            "ProcessedClientActions": JSON(.array(processed)), "Errors": JSON(.array([])),
        ])
        return Array(answer.text.utf8)
    }

    private func keyAnswer(_ key: DataKey) -> JSON {
        let members = [
            (name: "KMSCipherTextKey", value: JSON(.string(base64Encoded(key.sealed)))),
            (name: "KMSCipherTextHash", value: JSON(.string(base64Encoded(key.digest)))),
        ]
        // Tells that the challenge was among what KMS has sealed the key with.
        let acknowledgement = (name: "ChallengeAcknowledgement", value: JSON(.bool(true)))
        let isChallenged = keyRequest?.challenge != nil
        return JSON(.object(isChallenged ? members + [acknowledgement] : members))
    }

    private static let encryption = "KMSEncryption"

    /// Ports are never encrypted: what goes through them is, as a rule.
    private static func isSupported(_ name: String, _ purpose: DataChannel.Purpose) -> Bool {
        name == "SessionType" || name == encryption && purpose == .shell
    }
}
