public import Faults

extension WayError {
    /// Says that nobody could find out where an instance is.
    /// - Parameter fault: why not.
    public init(lookingUp fault: any Fault) {
        self.init(.notOffered, fault.layer, fault.summary, hint: fault.hint, cause: fault)
    }

    /// Says that an instance has no address that leads to it this way.
    /// - Parameters:
    ///   - id: `i-…`.
    ///   - address: what it lacks, such as `public address`.
    public init(instance id: String, without address: String) {
        self.init(.unreachable, .network, "\(id) has no \(address)")
    }

    /// Says that the only way to a machine is one that may not be taken.
    /// - Parameter id: `mi-…`.
    public init(onlyManaged id: String) {
        self.init(
            .notOffered,
            .configuration,
            "\(id) is reached through Systems Manager alone, and EC2Ways does not allow that",
            hint: .advice("allow it with -o EC2Ways=ssm")
        )
    }

    /// Says that an instance does not run.
    /// - Parameters:
    ///   - id: `i-…`.
    ///   - state: AWS's word for what it does.
    ///   - hint: how to start it.
    public init(instance id: String, state: String, hint: Hint?) {
        self.init(.notRunning(state: state), .name, "\(id) is \(state)", hint: hint)
    }
}
