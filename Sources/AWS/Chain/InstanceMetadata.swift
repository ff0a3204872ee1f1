internal import JSONText

/// What an instance can ask about itself (IMDSv2, and version 1 where the instance still has it).
struct InstanceMetadata: Sendable {
    let settings: AWSSettings
    let exchange: Exchange

    /// The keys of the instance's role; nil off EC2, and when there is no role.
    func credentials() async -> Credentials? {
        guard let token = await token(),
            let role = await get(rolePath, token),
            let text = await get(rolePath + role, token),
            let json = try? JSON.parse(Array(text.utf8)),
            var credentials = Credentials(json: json, token: "Token"),
            let end = credentials.expiration
        else { return nil }
        // Keys that look old are the service's trouble, not ours: they are taken for a while.
        let least = Timestamp(seconds: exchange.now.seconds + grace)
        credentials.expiration = max(end, least)
        return credentials
    }

    /// The instance's region; nil off EC2.
    func region() async -> String? {
        guard let token = await token() else { return nil }
        return await get("latest/meta-data/placement/region", token)
    }

    private enum Token {
        case version2(String)
        case version1
    }

    private func token() async -> Token? {
        if settings.variable("AWS_EC2_METADATA_DISABLED")?.lowercased() == "true" { return nil }
        var request = APIRequest("PUT", host: "", path: "latest/api/token")
        request.headers.append(.init("X-aws-ec2-metadata-token-ttl-seconds", "21600"))
        guard let response = await send(request) else { return nil }
        switch response.status {
        case 200: return .version2(response.text)
        case 403, 404, 405: return mayUseVersion1 ? .version1 : nil
        default: return nil
        }
    }

    private var mayUseVersion1: Bool {
        value("AWS_EC2_METADATA_V1_DISABLED", "ec2_metadata_v1_disabled")?.lowercased() != "true"
    }

    private func get(_ path: String, _ token: Token) async -> String? {
        var request = APIRequest("GET", host: "", path: path)
        if case .version2(let token) = token {
            request.headers.append(.init("X-aws-ec2-metadata-token", token))
        }
        guard let response = await send(request), response.status == 200, !response.body.isEmpty
        else { return nil }
        return response.text
    }

    private func send(_ request: APIRequest) async -> WireResponse? {
        var request = request
        guard let url = WebURL(base) else { return nil }
        request.host = url.authority
        request.path = (url.path.hasSuffix("/") ? url.path : url.path + "/") + request.path
        var sent = WireRequest(url: url, request: request)
        sent.isProxied = false
        let limit = value("AWS_METADATA_SERVICE_TIMEOUT", "metadata_service_timeout")
        sent.connectLimit = limit.flatMap { Double($0) }.map { min(max($0, 0.1), 60) } ?? 1
        sent.limit = sent.connectLimit * 2
        return try? await exchange.wire.send(sent)
    }

    private var base: String {
        let mode = value(
            "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
            "ec2_metadata_service_endpoint_mode"
        )
        return value("AWS_EC2_METADATA_SERVICE_ENDPOINT", "ec2_metadata_service_endpoint")
            ?? (mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254")
    }

    private func value(_ variable: String, _ name: String) -> String? {
        settings.variable(variable) ?? settings.section.text(name)
    }
}

extension CredentialChain {
    /// What the instance says that we may run on.
    var metadata: InstanceMetadata { InstanceMetadata(settings: settings, exchange: exchange) }
}

private let rolePath = "latest/meta-data/iam/security-credentials/"
/// Seconds.
private let grace: Int64 = 900
