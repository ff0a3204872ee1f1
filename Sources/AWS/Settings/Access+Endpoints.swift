internal import Faults

extension Access {
    /// The URL of a service in a region: the user's own, or AWS's.
    /// - Parameters:
    ///   - service: which service.
    ///   - region: such as `eu-central-1`.
    /// - Returns: with `http` or `https`.
    /// - Throws: ``ServiceError`` for a region that no host name can hold, or a URL that is none.
    public func url(of service: Service, in region: String) throws(ServiceError) -> WebURL {
        if let text = endpoints[service] {
            guard let url = WebURL(text), url.scheme.hasPrefix("http") else {
                throw ServiceError(
                    .configuration,
                    "the endpoint set for \(service.configurationName) is no URL: "
                        + visible(text.utf8)
                )
            }
            return url
        }
        guard isHostLabel(region),
            let url = WebURL("https://\(host(of: service, in: region))")
        else {
            throw ServiceError(
                .configuration,
                "there is no region \"\(visible(region.utf8))\"",
                hint: .run("aws configure set region eu-central-1")
            )
        }
        return url
    }

    /// The host that AWS runs a service at.
    public func host(of service: Service, in region: String) -> String {
        let partition = Partition(region: region)
        let suffix = usesDualStack ? partition.dualStackSuffix : partition.suffix
        // GovCloud's ordinary hosts are FIPS's.
        let isAlways =
            partition.id == "aws-us-gov" && !usesDualStack
            && ![.kms, .instanceConnect, .ssmMessages].contains(service)
        let mark = usesFIPS && !isAlways ? "-fips" : ""
        return "\(service.endpointPrefix)\(mark).\(region).\(suffix)"
    }
}

/// Letters, digits and `-`: nothing that leads elsewhere.
private func isHostLabel(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && !text.hasPrefix("-")
        && text.utf8.allSatisfy {
            (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2d
        }
}
