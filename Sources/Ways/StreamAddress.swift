internal import AWS

/// Whether a session's websocket is where it should be: the token that opens it is shown to nobody
/// but AWS.
enum StreamAddress {
    /// The domains of AWS's partitions.
    private static let domains = [
        "amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws",
        "api.amazonwebservices.com.cn",
        "c2s.ic.gov", "sc2s.sgov.gov", "cloud.adc-e.uk", "csp.hci.ic.gov",
    ]

    /// - Parameters:
    ///   - text: what the service names (`StreamUrl`).
    ///   - endpoint: where the user has data channels, if not at AWS's own names.
    /// - Returns: nil when that is neither AWS's nor the user's.
    static func checked(_ text: String, endpoint: String?) -> WebURL? {
        guard let url = WebURL(text), ["ws", "wss"].contains(url.scheme) else { return nil }
        let host = url.host.lowercased()
        if let endpoint = endpoint.flatMap({ WebURL($0) }), endpoint.host.lowercased() == host {
            return url.isSecure || !endpoint.isSecure ? url : nil
        }
        guard url.isSecure, host.hasPrefix("ssmmessages"),
            domains.contains(where: { host.hasSuffix(".\($0)") })
        else { return nil }
        return url
    }

    /// The websocket's request, signed by its headers as AWS demands it since 2025; one that is
    /// signed already stays as it is.
    static func request(
        _ url: WebURL,
        _ caller: any ServiceCaller
    ) async throws(ServiceError) -> WebSocketRequest {
        let query = url.query
        if query.contains(where: { $0.name.lowercased().hasPrefix("x-amz-") }) {
            return WebSocketRequest(url: url, target: url.target, headers: [])
        }
        let request = APIRequest("GET", host: url.authority, path: url.path, query: query)
        let signature = Signature(
            try await caller.credentials(),
            region: caller.region,
            service: Service.ssmMessages.signingName
        )
        let signed = signature.signed(request, at: caller.now)
        return WebSocketRequest(url: url, target: url.target, headers: signed.headers)
    }
}
