internal import AWS
internal import Faults

/// The websocket to an endpoint, signed for the next minute.
struct EndpointRequest {
    /// The endpoint's id; empty if there is none.
    let endpoint: String
    /// Nil when there is no endpoint that could be asked.
    let websocket: WebSocketRequest?
    private let parameters: EndpointParameters
    private let usesFIPS: Bool

    /// Chooses among the endpoints of the instance's VPC, and signs.
    /// - Throws: `ServiceError` when there are no credentials.
    init(
        _ parameters: EndpointParameters,
        _ endpoints: [InstanceConnectEndpoint],
        _ caller: any ServiceCaller
    ) async throws(ServiceError) {
        self.parameters = parameters
        usesFIPS = caller.access.usesFIPS
        let chosen = EndpointChoice.best(
            endpoints,
            subnet: parameters.subnet,
            zone: parameters.zone
        )
        endpoint = chosen?.id ?? ""
        let name = usesFIPS ? chosen?.fipsName : chosen?.name
        let place = name.map { "wss://\($0):\(parameters.endpointPort)" }
        guard let chosen, let place, let url = WebURL(place) else {
            websocket = nil
            return
        }
        let request = APIRequest(
            "GET",
            host: url.authority,
            path: "/openTunnel",
            query: [
                .init("instanceConnectEndpointId", chosen.id),
                .init("remotePort", "\(parameters.port)"),
                .init("privateIpAddress", parameters.privateAddress),
            ]
        )
        let service = Service.instanceConnect.signingName
        let signature = Signature(
            try await caller.credentials(),
            region: caller.region,
            service: service
        )
        let signed = signature.presigned(request, at: caller.now, for: 60)
        websocket = WebSocketRequest(url: url, target: signed.target, headers: [])
    }

    /// Why there is no websocket.
    var missing: WayError {
        let vpc = parameters.vpc
        if endpoint.isEmpty {
            return WayError(
                .notOffered,
                .aws,
                "\(vpc) has no EC2 Instance Connect Endpoint",
                hint: .run(
                    "aws ec2 create-instance-connect-endpoint --subnet-id "
                        + (parameters.subnet ?? "SUBNET")
                )
            )
        }
        return WayError(
            .notOffered,
            .aws,
            "endpoint \(endpoint) has no \(usesFIPS ? "FIPS " : "")name",
            hint: usesFIPS ? .advice("AWS_USE_FIPS_ENDPOINT asks for endpoints with one") : nil
        )
    }

    /// What an error of the websocket says about the endpoint or the instance.
    func fault(_ error: WebSocketError) -> WayError {
        guard case .closed(_, let reason) = error else {
            return WayError(error, to: "endpoint \(endpoint)")
        }
        let target = "\(parameters.privateAddress) port \(parameters.port)"
        guard reason.lowercased().contains("unable to connect") else {
            return WayError(error, to: "endpoint \(endpoint)")
        }
        return WayError(
            .unreachable,
            .network,
            "endpoint \(endpoint): \(reason): \(target)",
            hint: .advice(
                "the instance's security group must let the endpoint's in on port "
                    + "\(parameters.port), and sshd must be running"
            ),
            cause: error
        )
    }
}
