internal import AWS
internal import EC2
internal import Faults
internal import Posix
internal import SSHConfig
internal import Ways

/// What is known of the instance that a target stands for: from the cache at once, from AWS when
/// somebody asks for it, and then once for all who ask.
final class Whereabouts {
    /// The word that stands for the instance.
    let target: InstanceTarget
    /// Whether the word is nothing that a name server or the network knows.
    let needsAddress: Bool
    /// AWS, for what else is to be asked of it.
    let cloud: Cloud
    /// The facts, as far as they are there.
    private(set) var known: KnownInstance?
    /// Whether the facts are those of an earlier run.
    private(set) var isRemembered: Bool
    /// The way that led to the instance in this run.
    var way: WayName?
    /// What tries through Systems Manager have in common.
    let sharing = SharedSession()
    /// How the ways ended that were tried last and led nowhere.
    var losses: [WayName: WayError] = [:]
    /// The accounts that the instance's console has named; nil when nobody has read it.
    var accounts: ConsoleAccounts?
    private var search: CloudCall<KnownInstance>?
    private var wantsImages = false
    private var imageSearch: CloudCall<KnownInstance>?

    /// Looks into the cache.
    /// - Parameters:
    ///   - target: the word that stands for the instance.
    ///   - needsAddress: whether the word is nothing that a name server or the network knows.
    ///   - cloud: AWS.
    init(_ target: InstanceTarget, needsAddress: Bool, _ cloud: Cloud) {
        self.target = target
        self.needsAddress = needsAddress
        self.cloud = cloud
        known = cloud.cached(target)
        isRemembered = known != nil
    }

    /// The instance's id, from the word itself or from the facts.
    var instanceID: String? {
        switch target.kind {
        case .id(let id), .managed(let id): id
        default: known?.instance.id
        }
    }

    /// Whether the word is the instance's id, so that it can be no other instance.
    var isNamedByID: Bool {
        switch target.kind {
        case .id, .managed: true
        default: false
        }
    }

    /// Whether it is a machine that Systems Manager looks after, of which EC2 knows nothing.
    var isManaged: Bool {
        if case .managed = target.kind { return true }
        return false
    }

    /// Begins to ask, unless the answer is there or on its way.
    /// - Parameter withImages: whether the image is wanted, too.
    /// - Throws: ``Posix/SystemError``.
    func begin(withImages: Bool = false) throws {
        if withImages { wantsImages = true }
        if known == nil, search == nil { search = try cloud.find(target) }
        try beginImages()
    }

    /// Drops facts that have turned out to be old, and asks for new ones.
    /// - Throws: ``Posix/SystemError``.
    func askAgain() throws {
        known = nil
        isRemembered = false
        search = try cloud.find(target, newerThan: currentTimestamp())
    }

    /// Tells whether the facts are there; ``begin(withImages:)`` goes before.
    /// - Returns: where the instance is, and what it does.
    /// - Throws: ``EC2/InstanceLookupError``.
    func progress() throws -> Attempt<KnownInstance> {
        defer { cloud.printNotes() }
        if let known { return .done(known) }
        guard let search, case .done(let found) = try search.progress() else { return .again }
        known = found
        try beginImages()
        return .done(found)
    }

    /// Tells whether the image is known as well, if it can be.
    func imageProgress() throws -> Attempt<KnownInstance> {
        guard case .done(let found) = try progress() else { return .again }
        guard let imageSearch else { return .done(found) }
        guard case .done(let more) = try imageSearch.progress() else { return .again }
        known = more
        return .done(more)
    }

    private func beginImages() throws {
        guard wantsImages, !isManaged, imageSearch == nil, let known, known.images.isEmpty else {
            return
        }
        imageSearch = try cloud.images(of: known)
    }

    /// What the loop waits for.
    var sources: [any Source] { [search, imageSearch].compactMap { $0 } }
}

extension Poller {
    /// Takes turns until something about an instance is known.
    /// - Parameters:
    ///   - whereabouts: the instance; somebody has begun to ask.
    ///   - deadline: when to stop waiting; nil for never.
    ///   - step: what is to be known.
    /// - Returns: nil when the deadline passed first.
    /// - Throws: what the step or any source in the loop throws.
    func wait<Value>(
        about whereabouts: Whereabouts,
        until deadline: Instant? = nil,
        _ step: () throws -> Attempt<Value>
    ) throws -> Value? {
        let watch = WhereaboutsWatch(whereabouts)
        add(watch)
        defer { remove(watch) }
        return try wait(until: deadline, for: step)
    }
}

extension Context {
    /// Waits for the facts of an instance, if they can be had soon.
    /// - Parameters:
    ///   - whereabouts: the instance.
    ///   - limit: when to stop waiting.
    /// - Returns: nil where nobody can be asked, or does not answer in time.
    /// - Throws: what a source in the loop throws.
    func facts(about whereabouts: Whereabouts, until limit: Instant) throws -> KnownInstance? {
        if let known = whereabouts.known { return known }
        guard whereabouts.cloud.hasSigns else { return nil }
        do {
            try whereabouts.begin()
            return try poller.wait(about: whereabouts, until: limit) {
                try whereabouts.progress()
            }
        } catch let fault as any Fault {
            trace.debug(.debug1, .aws, fault.summary)
            return nil
        }
    }
}

/// Wakes the loop for whatever is on its way about an instance.
final class WhereaboutsWatch: Source {
    private let whereabouts: Whereabouts

    init(_ whereabouts: Whereabouts) { self.whereabouts = whereabouts }

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) { whereabouts.sources.forEach { $0.watch(&set) } }
    func ready(_ set: PollSet, now: Instant) {}
}
