internal import Faults
public import JSONText
internal import Posix

/// Asks AWS for real: finds out who we are when it is first asked, and asks again when it pays.
public struct AWSClient: ServiceCaller {
    /// The region that is asked.
    public let region: String
    let exchange: Exchange
    let source: CredentialSource

    init(region: String, _ exchange: Exchange, _ source: CredentialSource) {
        self.region = region
        self.exchange = exchange
        self.source = source
    }

    /// Makes a client; nothing is asked yet but the region, and that only on an instance that has
    /// no setting for it.
    /// - Parameters:
    ///   - settings: what environment and files say.
    ///   - asking: asks the person who sits there, such as for a code; nil when nobody does.
    ///   - note: told what went wrong whenever a call is made once more.
    /// - Returns: a client that has asked nobody who we are.
    /// - Throws: ``ServiceError`` when no region is known.
    public static func make(
        _ settings: AWSSettings,
        asking: @escaping @Sendable (String) async -> String?,
        note: @escaping @Sendable (ServiceError) -> Void = { _ in }
    ) async throws(ServiceError) -> AWSClient {
        try await make(settings, wire: HTTPWire(settings.access), asking: asking, note: note)
    }

    static func make(
        _ settings: AWSSettings,
        wire: any Wire,
        asking: @escaping @Sendable (String) async -> String?,
        note: @escaping @Sendable (ServiceError) -> Void = { _ in }
    ) async throws(ServiceError) -> AWSClient {
        let exchange = Exchange(
            settings.access,
            attempts: settings.attempts,
            throttledAttempts: settings.throttledAttempts,
            wire: wire,
            note: note
        )
        let chain = CredentialChain(settings, exchange, asking: asking)
        var region = settings.region
        if region == nil { region = await chain.metadata.region() }
        guard let region else {
            throw ServiceError(
                .configuration,
                "no region is set for the profile \"\(visible(settings.profileName.utf8))\"",
                hint: .run("export AWS_REGION=eu-central-1")
            )
        }
        let store = CredentialStore(clock: { exchange.now }) { () async throws(ServiceError) in
            try await chain.load()
        }
        return AWSClient(region: region, exchange, .store(store))
    }

    /// The same client for another region: the same credentials and connections.
    /// - Parameter region: such as `us-east-1`.
    /// - Returns: the client.
    public func within(_ region: String) -> AWSClient {
        AWSClient(region: region, exchange, source)
    }

    /// How AWS is reached.
    public var access: Access { exchange.access }
    /// Now, as AWS's clock has it.
    public var now: Timestamp { exchange.now }

    /// Who we are.
    public func credentials() async throws(ServiceError) -> Credentials {
        guard let credentials = try await source.credentials() else {
            throw ServiceError(.noCredentials, "this is asked by nobody")
        }
        return credentials
    }

    /// Calls an action of a service that takes forms and answers in XML.
    public func query(
        _ service: Service,
        action: String,
        version: String,
        _ parameters: [APIRequest.Field]
    ) async throws(ServiceError) -> XMLElement {
        let fields = [.init("Action", action), .init("Version", version)] + parameters
        let form = APIRequest("POST", host: "", query: fields).encodedQuery
        let type = "application/x-www-form-urlencoded; charset=utf-8"
        let request = APIRequest(
            "POST",
            host: "",
            headers: [.init("Content-Type", type)],
            body: Array(form.utf8)
        )
        let call = ServiceCall(service: service, action: action, request: request)
        let response = try await send(call)
        do throws(XMLError) {
            return try XMLElement.parse(response.body)
        } catch {
            throw ServiceError(.malformed, "\(call.name): the answer is no XML: \(error.reason)")
        }
    }

    /// Calls an action of a service that takes and gives JSON.
    public func json(
        _ service: Service,
        target: String,
        _ body: JSON
    ) async throws(ServiceError) -> JSON {
        let action = target.split(separator: ".").last.map(String.init) ?? target
        let request = APIRequest(
            "POST",
            host: "",
            headers: [
                .init("Content-Type", "application/x-amz-json-1.1"), .init("X-Amz-Target", target),
            ],
            body: Array(body.text.utf8)
        )
        return try await json(ServiceCall(service: service, action: action, request: request))
    }

    /// Makes a call that answers in JSON.
    func json(_ call: ServiceCall) async throws(ServiceError) -> JSON {
        let response = try await send(call)
        do throws(JSONError) {
            return try JSON.parse(response.body)
        } catch {
            throw ServiceError(.malformed, "\(call.name): the answer is no JSON: \(error.reason)")
        }
    }

    /// Keys that have ended before their time are taken anew, once.
    private func send(_ call: ServiceCall) async throws(ServiceError) -> WireResponse {
        let credentials = try await source.credentials()
        do throws(ServiceError) {
            return try await exchange.send(call, region: region, credentials: credentials)
        } catch {
            guard let credentials, error.isExpiry,
                let fresh = await source.renewed(after: credentials)
            else { throw error }
            return try await exchange.send(call, region: region, credentials: fresh)
        }
    }
}
