public import AWS
public import EC2
internal import Faults
internal import Posix
internal import SSHConfig
internal import Ways

/// AWS as one target sees it: its profile and regions.
///
/// Nobody is asked before something is needed.
public final class Cloud {
    /// What environment and shared files say.
    public let settings: AWSSettings
    private let regions: [String]
    private let cache: InventoryCache?
    /// The names that images let in.
    public let table: UserTable
    private let context: Context
    private let questions: CloudQuestions
    private let notes = CloudNotes()
    private var inventoryTask: Task<Result<Inventory, ServiceError>, Never>?

    /// Reads environment and shared files.
    /// - Parameters:
    ///   - options: EC2Profile and EC2Region.
    ///   - region: the region in the target's name, which counts before the profile's.
    ///   - table: the names that images let in.
    ///   - context: what the run shares.
    /// - Throws: ``AWS/ServiceError`` for files that cannot be read; ``Posix/SystemError``.
    init(_ options: Options, region: String?, table: UserTable, in context: Context) throws {
        let given = options.ec2Region?.split(separator: ",").map(String.init) ?? []
        settings = try AWSSettings(
            environment: context.environment,
            home: context.user.home,
            profile: options.ec2Profile,
            region: given.first ?? region
        )
        regions = given.isEmpty ? [settings.region].compactMap { $0 } : given
        cache = InventoryCache(environment: context.environment, home: context.user.home)
        self.table = table
        self.context = context
        questions = try CloudQuestions(context.prompter)
    }

    /// Prepares to ask about the host of a run, or about none.
    /// - Parameter context: what the run shares.
    /// - Throws: ``AWS/ServiceError`` for files that cannot be read; ``EC2/UserTableError``;
    ///   ``Posix/SystemError``.
    public convenience init(in context: Context) throws {
        let options = context.configuration.options
        let target = InstanceTarget(options.ec2Instance ?? options.hostname)
        let table = try UserTable.load(userFile: context.userTablePath)
        try self.init(options, region: target.region, table: table, in: context)
    }

    /// Whether something on this machine looks like credentials: without it, AWS is asked only
    /// when nothing else is left.
    public var hasSigns: Bool { settings.hasSignsOfCredentials || isOnEC2() }

    /// Finds an instance without asking anybody.
    func cached(_ target: InstanceTarget) -> KnownInstance? {
        let found = cache?.find(
            target,
            in: regions.map(scope),
            now: currentTimestamp(),
            note: { context.trace.debug(.debug1, .aws, $0) }
        )
        if let found { context.trace.debug(.debug1, .aws, "known: \(found.instance.id)") }
        return found
    }

    /// Finds an instance.
    /// - Parameters:
    ///   - target: the word that stands for it.
    ///   - newerThan: what was told before is not taken.
    /// - Returns: the call, already begun.
    /// - Throws: ``Posix/SystemError``.
    func find(
        _ target: InstanceTarget,
        newerThan: Timestamp? = nil
    ) throws -> CloudCall<KnownInstance> {
        let inventory = inventory()
        return try CloudCall {
            try await inventory.value.get().find(target, newerThan: newerThan)
        }
    }

    /// Finds out what image an instance was started from; who may not ask has to guess the user.
    func images(of known: KnownInstance) throws -> CloudCall<KnownInstance> {
        let (inventory, notes) = (inventory(), notes)
        return try CloudCall {
            do throws(ServiceError) {
                return try await inventory.value.get().withImages(known)
            } catch {
                notes.add("the image is not known: \(error.summary)")
                return known
            }
        }
    }

    /// Finds what AWS has told of the key pair of an instance, without asking anybody.
    func cachedKeyPair(of known: KnownInstance) -> KnownKeyPair? {
        guard let name = known.instance.keyName else { return nil }
        return cache?.keyPair(name, in: scope(known.region), now: currentTimestamp())
    }

    /// Finds out what AWS knows of the key pair of an instance, unless it has said so within the
    /// last hour.
    func keyPair(of known: KnownInstance) throws -> CloudCall<KnownKeyPair?> {
        let inventory = inventory()
        let anHourAgo = Timestamp(seconds: currentTimestamp().seconds - 3600)
        return try CloudCall {
            try await inventory.value.get().keyPair(of: known, newerThan: anHourAgo)
        }
    }

    /// All instances of the regions.
    func all() throws -> CloudCall<[KnownInstance]> {
        let inventory = inventory()
        let now = currentTimestamp()
        return try CloudCall { try await inventory.value.get().all(newerThan: now) }
    }

    /// The words that stand for instances of the regions, without asking anybody.
    func cachedWords(beginning: String?) -> [String] {
        let note = { [context] (text: String) in context.trace.debug(.debug1, .aws, text) }
        return cache?.words(in: regions.map(scope), beginning: beginning, note: note) ?? []
    }

    /// Asks something of the region an instance is in.
    func ask<Value: Sendable>(
        about known: KnownInstance,
        _ work: @escaping @Sendable (any ServiceCaller) async throws -> Value
    ) throws -> CloudCall<Value> {
        let caller = caller(for: known)
        return try CloudCall { try await work(try await caller()) }
    }

    /// Gives who asks AWS about an instance's region.
    func caller(
        for known: KnownInstance
    ) -> @Sendable () async throws(ServiceError) -> any ServiceCaller {
        let inventory = inventory()
        return { () async throws(ServiceError) in
            let inventory = try await inventory.value.get()
            guard let caller = inventory.caller(for: known) else {
                throw ServiceError(.configuration, "the region \(known.region) is not asked")
            }
            return caller
        }
    }

    /// Gives the Instance Connect endpoints of an instance's VPC, remembered or new.
    func endpoints(in vpc: String, of known: KnownInstance) -> EndpointWay.Finder {
        let inventory = inventory()
        return { isFresh throws(ServiceError) in
            let inventory = try await inventory.value.get()
            let now = currentTimestamp()
            let found = try await inventory.endpoints(
                in: vpc,
                of: known,
                newerThan: isFresh ? now : nil
            )
            return (found.endpoints, now.seconds - found.seen.seconds > 3)
        }
    }

    /// Gives who asks AWS about a region, whichever it is.
    /// - Parameter region: such as `eu-central-1`.
    /// - Returns: makes the caller, when it is first needed.
    public func caller(
        in region: String
    ) -> @Sendable () async throws(ServiceError) -> any ServiceCaller {
        // Questions are brought to the person by the loop from then on.
        _ = inventory()
        let (settings, ask, notes) = (settings, questions.ask, notes)
        return { () async throws(ServiceError) in
            try await AWSClient.make(settings, asking: ask) { notes.add($0) }.within(region)
        }
    }

    /// Whether AWS lets us wait, as it is asked too much.
    var isThrottled: Bool { notes.isThrottled }

    /// Takes sentences for `-v` from any thread.
    var note: @Sendable (String) -> Void {
        let notes = notes
        return { notes.add($0) }
    }

    /// Prints what the AWS side has noted for `-v`.
    func printNotes() { notes.print(to: context.trace) }

    /// Begins the client of each region, once; the first may have to ask where we are.
    /// - Returns: who asks all of them.
    public func inventory() -> Task<Result<Inventory, ServiceError>, Never> {
        if let inventoryTask { return inventoryTask }
        context.poller.add(questions)
        let (settings, regions, ask, notes) = (settings, regions, questions.ask, notes)
        let (cache, table) = (cache, table)
        let scope = { @Sendable (region: String) in settings.scope(region: region) }
        let task = Task.detached { () -> Result<Inventory, ServiceError> in
            do throws(ServiceError) {
                let client = try await AWSClient.make(settings, asking: ask) { notes.add($0) }
                let names = regions.isEmpty ? [client.region] : regions
                let callers = names.map { Inventory.Region(client.within($0), scope($0)) }
                return .success(
                    Inventory(
                        callers,
                        cache: cache,
                        table: table,
                        clock: { currentTimestamp() },
                        note: { notes.add($0) }
                    )
                )
            } catch {
                return .failure(error)
            }
        }
        inventoryTask = task
        return task
    }

    private func scope(_ region: String) -> InventoryScope { settings.scope(region: region) }
}

extension AWSSettings {
    /// Where the instances of a region are kept: one account, as far as can be told.
    fileprivate func scope(region: String) -> InventoryScope {
        InventoryScope(
            profile: accountName,
            region: region,
            endpoint: access.endpoints[.ec2]
        )
    }
}

/// Whether this machine is an instance itself, whose role may have credentials.
///
/// See "Detect whether a host is an EC2 instance" in the EC2 user guide.
private func isOnEC2() -> Bool {
    let vendor = try? readFile("/sys/class/dmi/id/sys_vendor", limit: 256).bytes
    return vendor?.starts(with: "Amazon EC2".utf8) ?? false
}

/// Now, by this machine's clock.
func currentTimestamp() -> Timestamp { Timestamp(seconds: readWallClock()) }
