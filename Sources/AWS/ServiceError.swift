public import Faults

/// Says why AWS did not do what it was asked.
public struct ServiceError: Fault, Equatable {
    /// The kinds that lead to different next steps.
    public enum Kind: Sendable, Equatable {
        /// Nothing on this machine says who we are, or what says so is of no use.
        case noCredentials
        /// We may not do this (the action is named).
        case denied(action: String)
        /// Too much was asked of AWS, and waiting has not helped.
        case throttled
        /// What was asked about does not exist.
        case notFound
        /// The service refused for another reason; ``ServiceError/code`` tells it.
        case service
        /// No answer came.
        case transport
        /// What came was not an answer.
        case malformed
        /// A setting is missing or wrong, such as the region.
        case configuration
    }

    /// What kind of failure it is.
    public let kind: Kind
    /// What was seen, in one line.
    public let summary: String
    /// The command that mends it, or where to look.
    public let hint: Hint?
    /// AWS's own name of the error, such as `TargetNotConnected`; empty if it named none.
    public let code: String
    /// AWS's own words, made safe to show.
    public let message: String
    /// The HTTP status; 0 if there was no answer.
    public let status: Int
    /// What AWS's support asks for.
    public let requestID: String

    /// Says what failed on our side of the wire, or on it.
    /// - Parameters:
    ///   - kind: the kind of failure.
    ///   - summary: what was seen, in one line.
    ///   - hint: what mends it.
    public init(_ kind: Kind, _ summary: String, hint: Hint? = nil) {
        self.kind = kind
        self.summary = summary
        self.hint = hint
        code = ""
        message = ""
        status = 0
        requestID = ""
    }

    /// Says what a service answered in the place of a result.
    /// - Parameters:
    ///   - action: what it was asked, such as `ec2:DescribeInstances`.
    ///   - code: its name for the error, without namespace.
    ///   - message: its words.
    ///   - status: the HTTP status.
    ///   - requestID: its name for the request.
    public init(
        action: String,
        code: String,
        message: String,
        status: Int,
        requestID: String = ""
    ) {
        self.code = visible(code.utf8)
        // One line: services that do not believe a signature go on with all that was signed, the
        // session's token included.
        self.message = visible(message.utf8.prefix { $0 != 0x0a && $0 != 0x0d })
        self.status = status
        self.requestID = visible(requestID.utf8)
        kind = Kind(action: action, code: code, status: status)
        let seen = code.isEmpty ? "HTTP status \(status)" : self.code
        let words = self.message.isEmpty ? "" : " (\(self.message))"
        summary = "\(action): \(seen)\(words)"
        hint = ServiceError.hint(kind, code)
    }

    /// Who we are, or what was asked.
    public var layer: Layer { kind == .noCredentials ? .credentials : .aws }

    /// Whether the credentials were good once.
    var isExpiry: Bool { expired.contains(code) }

    private static func hint(_ kind: Kind, _ code: String) -> Hint? {
        switch kind {
        case .denied(let action): .advice("ask for the IAM permission \(action)")
        case .noCredentials where expired.contains(code):
            .advice("these credentials have expired: log in again, or take new ones")
        case .noCredentials: .run("aws sts get-caller-identity")
        case .throttled: .advice("AWS takes fewer requests for a while: try again in a minute")
        default: nil
        }
    }
}

extension ServiceError.Kind {
    fileprivate init(action: String, code: String, status: Int) {
        if refusals.contains(code) || code.hasPrefix("AccessDenied") {
            self = .denied(action: action)
        } else if strangers.contains(code) || expired.contains(code) {
            self = .noCredentials
        } else if throttling.contains(code) || status == 429 {
            self = .throttled
        } else if missing.contains(where: code.hasSuffix) {
            self = .notFound
        } else if status == 403 && code.isEmpty {
            self = .denied(action: action)
        } else {
            self = .service
        }
    }
}

/// AWS's names for "you may not", besides `AccessDenied…`.
private let refusals: Set<String> = ["UnauthorizedOperation", "NotAuthorized", "AuthException"]

/// AWS's names for "I do not know you".
private let strangers: Set<String> = [
    "AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId",
    "SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature",
    "MissingAuthenticationToken", "MissingAuthenticationTokenException", "UnauthorizedException",
]

/// AWS's names for "I knew you once".
private let expired: Set<String> = ["ExpiredToken", "ExpiredTokenException", "RequestExpired"]

/// AWS's names for "too much"; the list is botocore's.
let throttling: Set<String> = [
    "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottledException",
    "TooManyRequestsException", "ProvisionedThroughputExceededException",
    "TransactionInProgressException", "RequestLimitExceeded", "BandwidthLimitExceeded",
    "LimitExceededException", "RequestThrottled", "SlowDown", "PriorRequestNotComplete",
    "EC2ThrottledException",
]

/// How AWS's names for "there is none" end.
private let missing: [String] = [
    ".NotFound", "NotFoundException", "DoesNotExistException", ".Malformed",
]
