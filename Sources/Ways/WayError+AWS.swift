internal import AWS
internal import Faults

extension WayError {
    /// An API call that a way needs has failed.
    init(_ error: ServiceError) {
        let outcome: Outcome =
            switch error.kind {
            case .denied, .noCredentials: .denied
            case .notFound: .notOffered
            case .throttled, .service, .transport, .malformed, .configuration: .serviceFailed
            }
        self.init(outcome, error.layer, error.summary, hint: error.hint, cause: error)
    }

    /// A websocket was not opened, or ended too soon.
    /// - Parameters:
    ///   - error: why.
    ///   - place: what it leads to, such as `endpoint eice-…`.
    init(_ error: WebSocketError, to place: String) {
        let (outcome, layer): (Outcome, Layer) =
            switch error {
            case .unreachable: (.unreachable, .network)
            case .timedOut, .silent: (.timedOut, .network)
            case .proxy: (.proxyFailed, .network)
            case .untrusted: (.serviceFailed, .network)
            case .refused(401, _, _), .refused(403, _, _): (.denied, .aws)
            case .refused, .closed: (.serviceFailed, .aws)
            case .lost, .malformed: (.serviceFailed, .network)
            }
        self.init(outcome, layer, "\(place): \(error.summary)", hint: Hint(error), cause: error)
    }
}

extension Hint {
    fileprivate init?(_ error: WebSocketError) {
        switch error {
        case .untrusted:
            self = .advice("where a proxy opens TLS, name its certificates in AWS_CA_BUNDLE")
        case .proxy: self = .advice("look at HTTPS_PROXY and NO_PROXY")
        case .refused(401, _, _), .refused(403, _, _): self = .run("aws sts get-caller-identity")
        default: return nil
        }
    }
}
