internal import Faults

extension AWSSettings {
    /// Asks under which address this machine is seen from outside.
    ///
    /// AWS's service `checkip.amazonaws.com`, or the one in `EC2SH_CHECKIP_URL`; nothing is signed.
    /// - Returns: an address in digits, as the service has written it.
    /// - Throws: ``ServiceError``.
    public func addressFromOutside() async throws(ServiceError) -> String {
        try await addressFromOutside(HTTPWire(access))
    }

    func addressFromOutside(_ wire: any Wire) async throws(ServiceError) -> String {
        let text = variable("EC2SH_CHECKIP_URL") ?? "https://checkip.amazonaws.com/"
        guard let url = WebURL(text) else {
            throw ServiceError(.configuration, "EC2SH_CHECKIP_URL is no URL")
        }
        let name = visible(url.authority.utf8)
        var request = WireRequest(
            url: url,
            request: APIRequest("GET", host: url.authority, path: url.target)
        )
        // Connections of ssh go through no proxy of HTTP's.
        request.isProxied = false
        request.connectLimit = 3
        request.limit = 5
        let response: WireResponse
        do throws(WireError) {
            response = try await wire.send(request)
        } catch {
            throw ServiceError(.transport, "\(name): \(error.reason)")
        }
        let address = response.text.filter { !$0.isWhitespace }
        let isAddress =
            !address.isEmpty && address.utf8.count < 46
            && address.utf8.allSatisfy { "0123456789abcdefABCDEF.:".utf8.contains($0) }
        guard response.status == 200, isAddress else {
            throw ServiceError(.malformed, "\(name): the answer is no address")
        }
        return address
    }
}
