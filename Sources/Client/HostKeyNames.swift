internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

extension Connector {
    /// Asks the name servers about a host's key (VerifyHostKeyDNS).
    /// - Parameters:
    ///   - key: the key the server has shown.
    ///   - policy: gets what they say.
    /// - Throws: what ends the connection meanwhile.
    func askNames(about key: HostKey, _ policy: inout HostKeyPolicy) throws {
        guard policy.options.verifyHostKeyDNS != .no else { return }
        let trace = context.trace
        let name = policy.host
        policy.matchesDNS = false
        if name == policy.address || name.contains(":") {
            return trace.debug(.debug1, .trust, "skipped DNS lookup for numerical hostname")
        }
        let helper = try Helper { queryRecords(of: name, type: HostKeyRecords.recordType) }
        let records = try context.poller.wait(watching: helper).flatMap(HostKeyRecords.init)
        switch records?.verdict(on: key) ?? .none {
        case .none:
            trace.debug(.debug1, .trust, "no host key fingerprint found in DNS")
        case .matches:
            trace.debug(.debug1, .trust, "matching host key fingerprint found in DNS")
            policy.matchesDNS = true
            policy.isProvedByDNS =
                policy.options.verifyHostKeyDNS == .yes && records?.isValidated == true
        case .differs:
            trace.debug(.debug1, .trust, "mismatching host key fingerprint found in DNS")
            policy.differsFromDNS = true
        }
    }
}
