/// What is sent and what comes back, whoever carries it: async-http-client, or a test.
protocol Wire: Sendable {
    /// Sends a request once and takes the whole answer.
    /// - Throws: ``WireError`` when no answer came.
    func send(_ request: WireRequest) async throws(WireError) -> WireResponse
}

/// A request with where it goes and how long it may take.
struct WireRequest: Sendable {
    var url: WebURL
    /// Its `host` is what the Host header says.
    var request: APIRequest
    /// Whether proxies are asked; addresses of the machine's own metadata never are.
    var isProxied = true
    /// Seconds until there must be a connection.
    var connectLimit = 10.0
    /// Seconds until all must be done.
    var limit = 60.0
}

/// An answer.
struct WireResponse: Sendable {
    var status: Int
    /// Names in lower case.
    var headers: [APIRequest.Field]
    var body: [UInt8]

    func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

    /// The body as text; bytes that are not UTF-8 are replaced.
    var text: String { String(decoding: body, as: UTF8.self) }
}

/// Why no answer came.
struct WireError: Error, Equatable {
    /// In one line, such as `connection refused`.
    var reason: String
    /// Whether another try may go better.
    var isTransient = true
}
