internal import Faults
internal import JSONText
internal import Posix

// Keys that a container is given by its platform (ECS, EKS, Greengrass, CloudShell).
extension CredentialChain {
    func containerCredentials() async throws(ServiceError) -> Credentials? {
        let environment = settings.environment
        let text: String
        if let path = environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] {
            text = "http://169.254.170.2\(path)"
        } else if let full = environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] {
            text = full
        } else {
            return nil
        }
        guard let url = WebURL(text), isTrusted(url) else {
            throw refused("AWS_CONTAINER_CREDENTIALS_FULL_URI leads to no host that may be asked")
        }
        var request = APIRequest("GET", host: url.authority, path: url.target)
        request.headers.append(.init("Accept", "application/json"))
        if let token = try token() { request.headers.append(.init("Authorization", token)) }
        var sent = WireRequest(url: url, request: request)
        sent.isProxied = false
        sent.connectLimit = 2
        sent.limit = 5
        let response: WireResponse
        do throws(WireError) {
            response = try await exchange.wire.send(sent)
        } catch {
            throw refused("the container's credentials: \(error.reason)")
        }
        guard response.status == 200 else {
            throw refused("the container's credentials: HTTP status \(response.status)")
        }
        guard let json = try? JSON.parse(response.body),
            let credentials = Credentials(json: json, token: "Token")
        else { throw refused("the container's credentials: the answer has none") }
        return credentials
    }

    private func token() throws(ServiceError) -> String? {
        var token = settings.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"]
        if let path = settings.environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] {
            do throws(SystemError) {
                token = String(decoding: try readFile(path, limit: 1 << 20).bytes, as: UTF8.self)
            } catch {
                throw refused("the container's token, \(error.summary)")
            }
        }
        if token?.utf8.contains(where: { $0 == 0x0d || $0 == 0x0a }) == true {
            throw refused("the container's token has a line end in it")
        }
        return token
    }

    /// Without TLS, only what is on this machine is asked.
    private func isTrusted(_ url: WebURL) -> Bool {
        let own = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23", "localhost", "::1"]
        let parts = url.host.split(separator: ".", omittingEmptySubsequences: false)
        let isLoopback =
            parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
        return url.scheme == "https"
            || url.scheme == "http" && (own.contains(url.host) || isLoopback)
    }
}
