internal import AWS

/// What a region has besides instances, each asked for by name and kept with them.
extension RegionInventory {
    /// Finds out what AWS knows of a key pair.
    /// - Parameters:
    ///   - name: its name.
    ///   - newerThan: refuses what AWS told before that time; nil takes what is good enough.
    /// - Returns: the pair, or that there is none.
    /// - Throws: ``AWS/ServiceError``.
    func keyPair(
        _ name: String,
        newerThan: Timestamp?
    ) async throws(ServiceError) -> KnownKeyPair {
        let known = { (file: InventoryFile) -> KnownKeyPair? in
            guard let pair = file.keyPair(name) else { return nil }
            if let newerThan, pair.seen.seconds + slack < newerThan.seconds { return nil }
            return pair.isGood(now: clock()) ? pair : nil
        }
        return try await locked(known) { old throws(ServiceError) in
            let seen = clock()
            let pair = KnownKeyPair(
                name: name,
                pair: try await caller.describeKeyPair(name),
                seen: seen
            )
            var file = old ?? empty
            file.put(pair)
            write(file)
            return pair
        }
    }

    /// Finds a machine that Systems Manager looks after and EC2 does not know.
    /// - Parameters:
    ///   - id: `mi-…`.
    ///   - newerThan: refuses what AWS told before that time; nil takes what is good enough.
    /// - Returns: empty when there is none.
    /// - Throws: ``AWS/ServiceError``.
    func managed(
        _ id: String,
        newerThan: Timestamp?
    ) async throws(ServiceError) -> [KnownInstance] {
        let target = InstanceTarget(id)
        let known = { (file: InventoryFile) -> [KnownInstance]? in
            let machines = file.instances(matching: target)
            let isNew = { (machine: KnownInstance) in
                newerThan.map { machine.seen.seconds + slack >= $0.seconds }
                    ?? machine.isGood(for: target, now: clock())
            }
            return !machines.isEmpty && machines.allSatisfy(isNew) ? machines : nil
        }
        return try await locked(known) { old throws(ServiceError) in
            let seen = clock()
            let information = try await caller.agentInformation(of: id)
            let machines = [information].compactMap { $0 }.map {
                KnownInstance($0, region: scope.region, seen: seen)
            }
            var file = old ?? empty
            for machine in machines { file.put(machine) }
            write(file)
            return machines
        }
    }

    /// Does what only says more: a failure is noted and nothing else.
    func noted<Value: Sendable>(
        _ body: () async throws(ServiceError) -> Value
    ) async -> Value? {
        do throws(ServiceError) { return try await body() } catch {
            note(error.summary)
            return nil
        }
    }

    /// Lists the machines that are not EC2's; nothing of it is kept.
    /// - Returns: all of them, up to a thousand.
    /// - Throws: ``AWS/ServiceError``.
    func allManaged() async throws(ServiceError) -> [KnownInstance] {
        let seen = clock()
        var machines: [KnownInstance] = []
        var token: String?
        for _ in 0..<mostManagedPages {
            let page = try await caller.managedMachines(nextToken: token)
            machines += page.machines.map {
                KnownInstance($0, region: scope.region, seen: seen)
            }
            token = page.nextToken
            if token == nil { break }
        }
        return machines
    }
}

extension KnownInstance {
    /// Describes a machine by what Systems Manager says of it.
    init(_ machine: AgentInformation, region: String, seen: Timestamp) {
        let isOnline = machine.ping == "Online"
        var instance = Instance(
            id: machine.id,
            state: isOnline ? .running : InstanceState(rawValue: machine.ping ?? "unknown")
        )
        instance.privateAddress = machine.address.flatMap(canonicalAddress)
        instance.privateName = machine.computerName?.lowercased()
        instance.platform = machine.platform == "Windows" ? "windows" : nil
        let name = machine.name.flatMap { $0.isEmpty ? nil : $0 } ?? machine.computerName
        if let name { instance.tags = ["Name": name] }
        self.init(instance, region: region, seen: seen)
    }
}

/// Pages of 50 machines.
private let mostManagedPages = 20
