internal import AWS

/// Chooses among a VPC's endpoints: any of them reaches all of it, but what crosses zones costs
/// money and time.
enum EndpointChoice {
    /// - Parameters:
    ///   - endpoints: those of the instance's VPC that work.
    ///   - subnet: the instance's subnet.
    ///   - zone: the instance's availability zone.
    /// - Returns: one in the same subnet, or else in the same zone, or else any; of several the
    ///   first by id, so that the choice is always the same.
    static func best(
        _ endpoints: [InstanceConnectEndpoint],
        subnet: String?,
        zone: String?
    ) -> InstanceConnectEndpoint? {
        let sorted = endpoints.sorted { $0.id < $1.id }
        return sorted.first { subnet != nil && $0.subnet == subnet }
            ?? sorted.first { zone != nil && $0.zone == zone } ?? sorted.first
    }
}
