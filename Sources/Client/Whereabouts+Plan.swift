internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig

extension Whereabouts {
    /// Prepares to find out where a plan's target is, if it is an instance that is reached from here.
    /// - Parameters:
    ///   - plan: the target.
    ///   - table: the names that images let in.
    ///   - context: what the run shares.
    /// - Returns: nil for a plain host, for one behind a proxy, and where AWS's files are no help.
    /// - Throws: ``AWS/ServiceError`` when nothing can be done without AWS.
    static func of(
        _ plan: Plan,
        table: UserTable,
        in context: Context
    ) throws -> Whereabouts? {
        guard plan.way == .direct, LoginFacts.isInstance(plan.options) else { return nil }
        let target = InstanceTarget(plan.options.ec2Instance ?? plan.options.hostname)
        let needsAddress = plan.options.ec2Instance != nil || !target.isKnownToNetworks
        do {
            let cloud = try Cloud(plan.options, region: target.region, table: table, in: context)
            // Where nobody can be asked, the network may know an id after all.
            let isLost = needsAddress && !cloud.hasSigns && plan.options.ec2Instance == nil
            return Whereabouts(target, needsAddress: needsAddress && !isLost, cloud)
        } catch let fault as ServiceError {
            if plan.options.ec2Instance != nil || plan.options.ec2Profile != nil { throw fault }
            context.trace.debug(.debug1, .aws, fault.summary)
            return nil
        }
    }

    /// Whether a plain host's address is that of an instance which was seen before; only looks into
    /// files of ours, and only for addresses.
    static func isKnownAddress(_ plan: Plan, in context: Context) -> Bool {
        guard plan.way == .direct, plan.options.ec2Host == .auto,
            !LoginFacts.isInstance(plan.options)
        else { return false }
        let target = InstanceTarget(plan.options.hostname)
        guard target.isAddress,
            InventoryCache(environment: context.environment, home: context.user.home)?.isEmpty
                == false,
            let cloud = try? Cloud(plan.options, region: nil, table: UserTable(), in: context)
        else { return false }
        return cloud.cached(target) != nil
    }

    /// Looks whether a plain host that cannot be reached is an instance after all.
    /// - Parameters:
    ///   - plan: the target.
    ///   - table: the names that images let in.
    ///   - context: what the run shares.
    /// - Returns: nil when nothing on this machine looks like credentials.
    /// - Throws: ``Posix/SystemError``.
    static func guess(
        _ plan: Plan,
        table: UserTable,
        in context: Context
    ) throws -> Whereabouts? {
        guard plan.way == .direct, plan.options.ec2Host == .auto else { return nil }
        let target = InstanceTarget(plan.options.hostname)
        guard
            let cloud = try? Cloud(plan.options, region: nil, table: table, in: context),
            cloud.hasSigns
        else { return nil }
        return Whereabouts(target, needsAddress: !target.isAddress, cloud)
    }
}

extension InstanceTarget {
    /// Whether a name server, or the network itself, may know the word.
    fileprivate var isKnownToNetworks: Bool {
        switch kind {
        case .id, .managed, .tag: false
        case .address, .dnsName, .name: true
        }
    }

    fileprivate var isAddress: Bool {
        if case .address = kind { return true }
        return false
    }
}
