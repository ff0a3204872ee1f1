internal import Crypto

/// Signs requests with Signature Version 4, by header or by query.
///
/// Source: AWS's "Create a signed AWS API request"; for all services but S3, whose paths are
/// encoded once only.
public struct Signature: Sendable {
    private let credentials: Credentials
    private let region: String
    private let service: String

    /// Prepares to sign.
    /// - Parameters:
    ///   - credentials: who we are.
    ///   - region: as in the endpoint, such as `eu-central-1`.
    ///   - service: the name services are signed for, such as `ec2`.
    public init(_ credentials: Credentials, region: String, service: String) {
        self.credentials = credentials
        self.region = region
        self.service = service
    }

    /// Signs by header.
    /// - Parameters:
    ///   - request: what is to be sent.
    ///   - time: now; AWS takes no request that is 5 minutes off.
    /// - Returns: the request with `X-Amz-Date`, `X-Amz-Security-Token` and `Authorization`.
    public func signed(_ request: APIRequest, at time: Timestamp) -> APIRequest {
        var request = request
        request.headers.append(.init("X-Amz-Date", time.basic))
        if let token = credentials.sessionToken {
            request.headers.append(.init("X-Amz-Security-Token", token))
        }
        let signed = canonicalHeaders(request)
        let signature = sign(request, signed, time)
        request.headers.append(
            .init(
                "Authorization",
                "\(Signature.algorithm) Credential=\(credentials.accessKeyID)/\(scope(time)), "
                    + "SignedHeaders=\(names(signed)), Signature=\(signature)"
            )
        )
        return request
    }

    /// Signs by query, as for a link that is valid for a while.
    /// - Parameters:
    ///   - request: what is to be sent; its body is empty.
    ///   - time: now.
    ///   - seconds: how long the signature is valid.
    /// - Returns: the request with `X-Amz-…` fields in its query.
    public func presigned(_ request: APIRequest, at time: Timestamp, for seconds: Int) -> APIRequest
    {
        var request = request
        let signed = canonicalHeaders(request)
        request.query += [
            .init("X-Amz-Algorithm", Signature.algorithm),
            .init("X-Amz-Credential", "\(credentials.accessKeyID)/\(scope(time))"),
            .init("X-Amz-Date", time.basic),
            .init("X-Amz-Expires", "\(seconds)"),
            .init("X-Amz-SignedHeaders", names(signed)),
        ]
        if let token = credentials.sessionToken {
            request.query.append(.init("X-Amz-Security-Token", token))
        }
        request.query.append(.init("X-Amz-Signature", sign(request, signed, time)))
        return request
    }

    // MARK: - The parts

    private static let algorithm = "AWS4-HMAC-SHA256"

    private func scope(_ time: Timestamp) -> String {
        "\(time.day)/\(region)/\(service)/aws4_request"
    }

    private func sign(
        _ request: APIRequest,
        _ headers: [APIRequest.Field],
        _ time: Timestamp
    ) -> String {
        let canonical = [
            request.method, percentEncoded(request.path, keeping: "/"), canonicalQuery(request),
            headers.map { "\($0.name):\($0.value)\n" }.joined(), names(headers),
            hex(SHA256.hash(data: request.body)),
        ].joined(separator: "\n")
        let toSign = [
            Signature.algorithm, time.basic, scope(time),
            hex(SHA256.hash(data: Array(canonical.utf8))),
        ].joined(separator: "\n")
        var key = SymmetricKey(data: Array("AWS4\(credentials.secretAccessKey)".utf8))
        for part in [time.day, region, service, "aws4_request"] {
            key = SymmetricKey(data: Signature.code(part, key))
        }
        return hex(Signature.code(toSign, key))
    }

    private static func code(_ text: String, _ key: SymmetricKey) -> HMAC<SHA256>.MAC {
        HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)
    }

    /// By name, then by value, both encoded.
    private func canonicalQuery(_ request: APIRequest) -> String {
        request.query.map { (percentEncoded($0.name), percentEncoded($0.value)) }
            .sorted {
                Array($0.0.utf8) == Array($1.0.utf8) ? isLess($0.1, $1.1) : isLess($0.0, $1.0)
            }
            .map { "\($0.0)=\($0.1)" }
            .joined(separator: "&")
    }

    /// Host and all headers, in lower case and in order, with single blanks.
    private func canonicalHeaders(_ request: APIRequest) -> [APIRequest.Field] {
        let all = [APIRequest.Field("host", request.host)] + request.headers
        return all.map { header in
            let value = header.value.split(separator: " ").joined(separator: " ")
            return APIRequest.Field(header.name.lowercased(), value)
        }
        .sorted { isLess($0.name, $1.name) }
    }

    private func names(_ headers: [APIRequest.Field]) -> String {
        headers.map(\.name).joined(separator: ";")
    }
}

private func isLess(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}

func hex(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
