internal import Faults
internal import JSONText

extension ServiceCall {
    /// What a service says in the place of a result, in any of its forms.
    /// - Parameter response: with a status that is no success.
    /// - Returns: the error.
    func error(in response: WireResponse) -> ServiceError {
        let told = fromXML(response) ?? fromJSON(response)
        if (300..<400).contains(response.status) || told == nil && isPage(response) {
            return ServiceError(
                .malformed,
                "\(name): \(response.status) and a page, not an answer of AWS's",
                hint: .advice("see whether this network wants a login, or a proxy is in between")
            )
        }
        return ServiceError(
            action: name,
            code: told?.code ?? "",
            message: told?.message ?? "",
            status: response.status,
            requestID: told?.requestID ?? response.header("x-amzn-requestid") ?? ""
        )
    }

    private typealias Told = (code: String, message: String, requestID: String?)

    private func isPage(_ response: WireResponse) -> Bool {
        response.header("content-type")?.hasPrefix("text/html") ?? false
    }

    /// EC2: `<Response><Errors><Error>`, others: `<ErrorResponse><Error>`.
    private func fromXML(_ response: WireResponse) -> Told? {
        guard response.body.first == UInt8(ascii: "<"),
            let root = try? XMLElement.parse(response.body),
            let error = root["Errors"]?["Error"] ?? root["Error"],
            let code = error.text("Code")
        else { return nil }
        let id = root.text("RequestID") ?? root.text("RequestId")
        return (code, error.text("Message") ?? "", id)
    }

    /// JSON 1.1: `__type`; REST: a header; OAuth: `error`.
    private func fromJSON(_ response: WireResponse) -> Told? {
        let body = try? JSON.parse(response.body)
        let type = response.header("x-amzn-errortype") ?? body?["__type"]?.string
        guard let code = type ?? body?["code"]?.string ?? body?["error"]?.string else { return nil }
        // `namespace#Name:http://…`
        let local = code.prefix { $0 != ":" }.split(separator: "#").last.map(String.init)
        let message =
            body?["message"] ?? body?["Message"] ?? body?["errorMessage"]
            ?? body?["error_description"]
        return (local ?? "", message?.string ?? "", nil)
    }
}
