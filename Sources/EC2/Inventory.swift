public import AWS

/// Finds instances by the words people use, in one region or in several.
///
///     word ─▶ InstanceTarget ─▶ cache ──(good enough)──────────────────▶ KnownInstance
///                                 └─▶ lock ─▶ DescribeInstances ─▶ cache ─┘
///
/// Everything here asks AWS and so is asynchronous; ``InventoryCache`` answers at once.
public struct Inventory: Sendable {
    /// A region with who asks it.
    public struct Region: Sendable {
        let caller: any ServiceCaller
        let scope: InventoryScope

        /// Names a region.
        /// - Parameters:
        ///   - caller: asks AWS about it.
        ///   - scope: whose instances they are.
        public init(_ caller: any ServiceCaller, _ scope: InventoryScope) {
            self.caller = caller
            self.scope = scope
        }
    }

    private let regions: [RegionInventory]
    private let cache: InventoryCache?
    private let clock: @Sendable () -> Timestamp
    private let note: @Sendable (String) -> Void

    /// Prepares to ask; nobody is asked yet.
    /// - Parameters:
    ///   - regions: at least one.
    ///   - cache: nil where there is no place for one.
    ///   - table: the names that images let in.
    ///   - clock: the time by this machine's clock.
    ///   - note: gets sentences for `-v`, from any thread.
    public init(
        _ regions: [Region],
        cache: InventoryCache?,
        table: UserTable,
        clock: @escaping @Sendable () -> Timestamp,
        note: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        let started = clock()
        self.cache = cache
        self.clock = clock
        self.note = note
        self.regions = regions.map { region in
            RegionInventory(
                caller: region.caller,
                scope: region.scope,
                cache: cache,
                table: table,
                started: started,
                clock: clock,
                note: note
            )
        }
    }

    /// Finds the one instance that a word stands for.
    /// - Parameters:
    ///   - target: the word.
    ///   - newerThan: for facts that have turned out to be old, or that change: nothing that AWS
    ///     told before that time is taken, but for 3 seconds that let many processes share one
    ///     question.
    /// - Returns: the instance, without its health, and with those images that are known already.
    /// - Throws: ``InstanceLookupError``.
    public func find(
        _ target: InstanceTarget,
        newerThan: Timestamp? = nil
    ) async throws(InstanceLookupError) -> KnownInstance {
        if newerThan == nil, let known = cached(target) { return known }
        let answers = await inEachRegion { region throws(ServiceError) in
            try await region.instances(target, newerThan: newerThan)
        }
        if let known = undescribed(target, answers) { return known }
        let found = present(answers.flatMap { (try? $0.get()) ?? [] })
        if found.count > 1 { throw .several(word: target.word, instances: found) }
        if let known = found.first { return known }
        try failures(of: answers)
        throw .notFound(word: target.word, regions: regions.map(\.scope.region))
    }

    /// A managed machine in the one region there is, of which we may not ask: a session with it may
    /// be allowed all the same.
    private func undescribed(
        _ target: InstanceTarget,
        _ answers: [Result<[KnownInstance], ServiceError>]
    ) -> KnownInstance? {
        guard case .managed(let id) = target.kind, answers.count == 1, let region = regions.first,
            case .failure(let error)? = answers.first, case .denied = error.kind
        else { return nil }
        return KnownInstance(
            Instance(id: id, state: .running),
            region: region.scope.region,
            seen: clock()
        )
    }

    /// What the cache knows well enough, taken from all regions together.
    private func cached(_ target: InstanceTarget) -> KnownInstance? {
        cache?.find(target, in: regions.map(\.scope), now: clock(), note: note)
    }

    /// Lists the instances of all regions, with their images, and the machines that Systems Manager
    /// looks after.
    /// - Parameter newerThan: nothing that AWS told before that time is taken.
    /// - Returns: those that are not gone.
    /// - Throws: ``InstanceLookupError/service(_:)`` when one region does not answer.
    public func all(newerThan: Timestamp) async throws(InstanceLookupError) -> [KnownInstance] {
        let answers = await inEachRegion { region throws(ServiceError) in
            // They only say more, as images do; who may not ask for them sees the rest.
            async let machines = region.noted { () throws(ServiceError) in
                try await region.allManaged()
            }
            let all = try await region.all(newerThan: newerThan)
            let here = all.filter { !$0.instance.state.isGone && !$0.isManaged }
            let described = await region.noted { () throws(ServiceError) in
                try await region.withImages(here)
            }
            return await (described ?? here) + (machines ?? [])
        }
        try failures(of: answers)
        return answers.flatMap { (try? $0.get()) ?? [] }
    }

    /// Finds out what image an instance was started from, and what that was made from.
    /// - Parameter known: an instance that ``find(_:newerThan:)`` gave.
    /// - Returns: the same with ``KnownInstance/images``.
    /// - Throws: ``ServiceError``.
    public func withImages(_ known: KnownInstance) async throws(ServiceError) -> KnownInstance {
        guard let region = region(of: known) else { return known }
        return try await region.withImages([known]).first ?? known
    }

    /// Finds out what AWS knows of the key pair an instance was launched with.
    /// - Parameters:
    ///   - known: an instance that ``find(_:newerThan:)`` gave.
    ///   - newerThan: nothing that AWS told before that time is taken.
    /// - Returns: nil when it was launched without one.
    /// - Throws: ``ServiceError``.
    public func keyPair(
        of known: KnownInstance,
        newerThan: Timestamp? = nil
    ) async throws(ServiceError) -> KnownKeyPair? {
        guard let region = region(of: known), let name = known.instance.keyName else { return nil }
        return try await region.keyPair(name, newerThan: newerThan)
    }

    /// Finds the Instance Connect endpoints of an instance's VPC.
    /// - Parameters:
    ///   - vpc: the VPC.
    ///   - known: an instance that ``find(_:newerThan:)`` gave.
    ///   - newerThan: nothing that AWS told before that time is taken; nil takes what is remembered.
    /// - Returns: those that work, and when AWS told of them.
    /// - Throws: ``ServiceError``.
    public func endpoints(
        in vpc: String,
        of known: KnownInstance,
        newerThan: Timestamp? = nil
    ) async throws(ServiceError) -> KnownEndpoints {
        guard let region = region(of: known) else {
            throw ServiceError(.configuration, "the region \(known.region) is not asked")
        }
        return try await region.endpoints(in: vpc, newerThan: newerThan)
    }

    /// Asks how an instance is: its status checks and its agent, both at once.
    /// - Parameter known: an instance that ``find(_:newerThan:)`` gave.
    /// - Returns: what could be found out; nothing of it is kept.
    public func health(of known: KnownInstance) async -> InstanceHealth {
        guard let region = region(of: known) else { return InstanceHealth() }
        let (caller, id) = (region.caller, known.instance.id)
        async let status = try? caller.instanceStatus(of: id)
        async let agent = try? caller.agentInformation(of: id)
        let (checks, information) = await (status, agent)
        return InstanceHealth(
            system: checks?.system,
            instance: checks?.instance,
            agent: information?.ping
        )
    }

    /// Who asks AWS about the first region.
    public var caller: (any ServiceCaller)? { regions.first?.caller }

    /// Who asks AWS about an instance's region.
    /// - Parameter known: an instance that ``find(_:newerThan:)`` gave.
    /// - Returns: nil for a region that is not among these.
    public func caller(for known: KnownInstance) -> (any ServiceCaller)? {
        region(of: known)?.caller
    }

    private func region(of known: KnownInstance) -> RegionInventory? {
        regions.first { $0.scope.region == known.region }
    }

    /// A region that does not answer matters only when no other has.
    private func failures(
        of answers: [Result<[KnownInstance], ServiceError>]
    ) throws(InstanceLookupError) {
        for case .failure(let error) in answers { throw .service(error) }
    }

    /// Does the same in all regions at once; the answers come in the order of the regions.
    private func inEachRegion(
        _ body:
            @escaping @Sendable (RegionInventory) async throws(ServiceError) -> [KnownInstance]
    ) async -> [Result<[KnownInstance], ServiceError>] {
        await withTaskGroup { group in
            for (place, region) in regions.enumerated() {
                group.addTask { () -> (Int, Result<[KnownInstance], ServiceError>) in
                    do throws(ServiceError) {
                        return (place, .success(try await body(region)))
                    } catch {
                        region.note("\(region.scope.region): \(error.summary)")
                        return (place, .failure(error))
                    }
                }
            }
            var answers: [(Int, Result<[KnownInstance], ServiceError>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}
