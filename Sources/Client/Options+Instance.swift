internal import SSHConfig

extension Options {
    /// Makes a host that was plain to all appearances an instance of EC2.
    mutating func becomeInstance() {
        ec2Host = .yes
        useInstanceDefaults()
    }

    /// Sets what differs for an instance of EC2; a value the user gave always wins.
    ///
    /// Idle connections are dropped after 350 s by security groups and NAT gateways, so the server
    /// is asked for a sign of life long before that.
    mutating func useInstanceDefaults() {
        if !isSet(.serverAliveInterval) { serverAliveInterval = 15 }
        if !isSet(.serverAliveCountMax) { serverAliveCountMax = 3 }
        if !isSet(.connectTimeout) { connectTimeout = 15 }
    }
}
