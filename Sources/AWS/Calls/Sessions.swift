internal import JSONText

/// A session of Systems Manager, and what its next websocket needs.
public struct ManagedSession: Sendable, Equatable {
    /// Its id, as in `jane-0a1b2c3d4e5f67890`.
    public var id: String
    /// Where its websocket is.
    public var streamURL: String
    /// What the websocket's first message proves itself with.
    public var token: String

    /// Describes a session.
    public init(id: String, streamURL: String, token: String) {
        self.id = id
        self.streamURL = streamURL
        self.token = token
    }
}

extension ServiceCaller {
    /// Begins a session with an instance.
    ///
    /// Source: `StartSession`.
    /// - Parameters:
    ///   - target: `i-…` or `mi-…`.
    ///   - document: what kind of session; nil for a shell as the account has it.
    ///   - parameters: the document's.
    /// - Returns: the session.
    /// - Throws: ``ServiceError``; `TargetNotConnected` when the instance's agent is not there.
    public func startSession(
        with target: String,
        document: String?,
        _ parameters: KeyValuePairs<String, String> = [:]
    ) async throws(ServiceError) -> ManagedSession {
        var members: [(name: String, value: JSON)] = [("Target", JSON(.string(target)))]
        if let document { members.append(("DocumentName", JSON(.string(document)))) }
        if !parameters.isEmpty {
            let values = parameters.map {
                (name: $0.key, value: JSON(.array([.init(.string($0.value))])))
            }
            members.append(("Parameters", JSON(.object(values))))
        }
        let answer = try await json(.ssm, target: "AmazonSSM.StartSession", JSON(.object(members)))
        guard let session = ManagedSession(answer) else {
            throw ServiceError(.malformed, "ssm:StartSession: the answer names no session")
        }
        return session
    }

    /// Takes a session up again after its websocket broke.
    ///
    /// Source: `ResumeSession`.
    /// - Parameter id: the session's id.
    /// - Returns: nil when the session is over.
    /// - Throws: ``ServiceError``; ``ServiceError/Kind/notFound`` when there is no such session.
    public func resumeSession(_ id: String) async throws(ServiceError) -> ManagedSession? {
        ManagedSession(
            try await json(
                .ssm,
                target: "AmazonSSM.ResumeSession",
                .object(["SessionId": JSON(.string(id))])
            )
        )
    }

    /// Ends a session.
    ///
    /// Source: `TerminateSession`.
    /// - Parameter id: the session's id.
    /// - Throws: ``ServiceError``.
    public func terminateSession(_ id: String) async throws(ServiceError) {
        _ = try await json(
            .ssm,
            target: "AmazonSSM.TerminateSession",
            .object(["SessionId": JSON(.string(id))])
        )
    }
}

extension ManagedSession {
    /// Without a token there is nothing to go on with.
    fileprivate init?(_ answer: JSON) {
        guard let id = answer["SessionId"]?.string, let url = answer["StreamUrl"]?.string,
            let token = answer["TokenValue"]?.string, !token.isEmpty
        else { return nil }
        self.init(id: id, streamURL: url, token: token)
    }
}
