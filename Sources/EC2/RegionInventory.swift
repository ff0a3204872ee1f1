internal import AWS

/// The instances of one region, as AWS tells of them, through the cache that all processes share.
///
/// Many processes that start at once ask AWS once: who gets the lock asks for all instances of the
/// region, the others find the answer in the cache.
struct RegionInventory: Sendable {
    let caller: any ServiceCaller
    let scope: InventoryScope
    /// Nil where there is no place for one.
    let cache: InventoryCache?
    /// The names that images let in, which say whether an image is known.
    let table: UserTable
    /// When this process began: what AWS has told since then is new to it.
    let started: Timestamp
    /// The time by this machine's clock.
    let clock: @Sendable () -> Timestamp
    let note: @Sendable (String) -> Void

    /// Finds what a word stands for.
    /// - Parameters:
    ///   - target: the word.
    ///   - newerThan: refuses what AWS told before that time; nil takes what is good enough.
    /// - Returns: all that match, gone ones as well.
    /// - Throws: ``ServiceError``.
    func instances(
        _ target: InstanceTarget,
        newerThan: Timestamp?
    ) async throws(ServiceError) -> [KnownInstance] {
        if case .managed(let id) = target.kind {
            return try await managed(id, newerThan: newerThan)
        }
        let known = { (file: InventoryFile) in answer(file, target, newerThan) }
        return try await locked(known, wish: target.word) { old throws(ServiceError) in
            let wishes = cache?.wishes(scope).take(most: mostWishes) ?? []
            var file: InventoryFile
            if let old, !old.isWhole, old.fetched.isWithin(largeRemainsLarge, of: clock()) {
                file = old
            } else {
                file = try await list(old, mostPages: mostPagesKept)
            }
            // What was read is worth keeping even if the next question fails.
            defer { write(file) }
            if !file.isWhole, known(file) == nil {
                try await ask(target, with: wishes.map(InstanceTarget.init), &file)
            }
            return file.instances(matching: target)
        }
    }

    /// Lists all instances.
    /// - Parameter newerThan: refuses what AWS told before that time.
    /// - Returns: all of them, gone ones as well.
    /// - Throws: ``ServiceError``.
    func all(newerThan: Timestamp) async throws(ServiceError) -> [KnownInstance] {
        let known = { (file: InventoryFile) in
            file.isWhole && file.fetched.seconds + slack >= newerThan.seconds
                ? file.instances : nil
        }
        return try await locked(known) { old throws(ServiceError) in
            let file = try await list(old, mostPages: mostPages)
            if file.instanceCount <= mostPagesKept * 1000 { write(file) }
            return file.instances
        }
    }

    /// Finds out what images instances were started from; AMIs never change, so each is asked for
    /// once.
    /// - Parameter instances: of this region.
    /// - Returns: the same with their images.
    /// - Throws: ``ServiceError``.
    func withImages(_ instances: [KnownInstance]) async throws(ServiceError) -> [KnownInstance] {
        let known = { (file: InventoryFile) in
            wanted(instances, from: file).isEmpty ? completed(instances, from: file) : nil
        }
        return try await locked(known) { old throws(ServiceError) in
            var file = old ?? empty
            for _ in 0..<mostImageQuestions {
                let first = wanted(instances, from: file)
                if first.isEmpty { break }
                // The images of the others will be wanted by other processes: one question for all.
                let others = wanted(file.instances, from: file).filter { !first.contains($0) }
                let ids = Array((first + others).prefix(mostFilterValues))
                let found = try await caller.describeImages(ids)
                for id in ids { file.put(found.first { $0.id == id } ?? Image(id: id)) }
            }
            write(file)
            return completed(instances, from: file)
        }
    }

    /// Finds the endpoints of a VPC.
    ///
    /// That there are some is good for a while: one that is gone is noticed when it is used. That
    /// there are none is good for those who ask at the same time.
    /// - Parameters:
    ///   - vpc: `vpc-…`.
    ///   - newerThan: refuses what AWS told before that time; nil takes what is good enough.
    /// - Returns: the endpoints that work.
    /// - Throws: ``ServiceError``.
    func endpoints(
        in vpc: String,
        newerThan: Timestamp?
    ) async throws(ServiceError) -> KnownEndpoints {
        let known = { (file: InventoryFile) -> KnownEndpoints? in
            guard let found = file.endpoints(in: vpc) else { return nil }
            let now = clock()
            let isGood =
                newerThan == nil && !found.endpoints.isEmpty
                && found.seen.isWithin(goodForEndpoints, of: now)
            let needed = (newerThan ?? started).seconds - slack
            return isGood || found.seen.seconds >= needed && found.seen <= now ? found : nil
        }
        return try await locked(known) { old throws(ServiceError) in
            let begun = clock()
            let endpoints = try await caller.instanceConnectEndpoints(in: vpc)
            let found = KnownEndpoints(vpc: vpc, endpoints: endpoints, seen: begun)
            let nothing = Timestamp(seconds: 0)
            var file = old ?? InventoryFile(scope: scope.text, fetched: nothing, isWhole: false)
            file.put(found)
            write(file)
            return found
        }
    }

    /// What a file answers; nil when AWS has to be asked.
    private func answer(
        _ file: InventoryFile,
        _ target: InstanceTarget,
        _ newerThan: Timestamp?
    ) -> [KnownInstance]? {
        let matches = file.instances(matching: target)
        let now = clock()
        let relevant = present(matches)
        // Of a name, a list that has no end may hold another instance further on.
        let isAll = !target.isFickle || file.isWhole
        if newerThan == nil, !relevant.isEmpty, isAll || file.knowsAll(of: target, now: now),
            relevant.allSatisfy({ $0.isGood(for: target, now: now) })
        {
            return matches
        }
        // What was launched a moment ago is in no list that was made before this process began.
        let least = relevant.isEmpty ? started.seconds + 1 : started.seconds - slack
        let needed = newerThan.map { $0.seconds - slack } ?? least
        let isNew = { (time: Timestamp) in time.seconds >= needed && time <= now }
        if isAll, !relevant.isEmpty, relevant.allSatisfy({ isNew($0.seen) }) { return matches }
        if file.isWhole { return isNew(file.fetched) ? matches : nil }
        return file.asked(target.word).map(isNew) == true ? matches : nil
    }

    /// Asks for all instances of the region.
    private func list(
        _ old: InventoryFile?,
        mostPages: Int
    ) async throws(ServiceError) -> InventoryFile {
        let begun = clock()
        var file = InventoryFile(scope: scope.text, fetched: begun, isWhole: true)
        if let old { file.takeOthers(of: old) }
        var token: String?
        // While pages are turned, what is on them moves: an instance may stand on two.
        var ids: Set<String> = []
        for _ in 0..<mostPages {
            let page = try await caller.describeInstances(nextToken: token)
            for instance in page.instances where ids.insert(instance.id).inserted {
                file.append(known(instance, begun))
            }
            token = page.nextToken
            if token == nil { break }
        }
        file.isWhole = token == nil
        note(
            "\(file.instanceCount) instances in \(scope.region)\(file.isWhole ? "" : ", and more")"
        )
        return file
    }

    /// Asks for what matches a word, and for what other processes wait for.
    private func ask(
        _ target: InstanceTarget,
        with others: [InstanceTarget],
        _ file: inout InventoryFile
    ) async throws(ServiceError) {
        do throws(ServiceError) {
            try await ask([target] + others, &file)
        } catch {
            // Somebody else's word may be one that AWS does not take.
            guard error.kind == .service, !others.isEmpty else { throw error }
            try await ask([target], &file)
        }
    }

    private func ask(
        _ targets: [InstanceTarget],
        _ file: inout InventoryFile
    ) async throws(ServiceError) {
        let begun = clock()
        var found: [KnownInstance] = []
        var open = targets
        var round = 0
        while !open.isEmpty {
            for filter in InstanceFilter.merged(open, round: round) {
                found += try await pages(of: filter).map { known($0, begun) }
            }
            round += 1
            open.removeAll { target in
                target.questions.count <= round
                    || found.contains { target.matches($0.instance) }
            }
        }
        for known in found { file.put(known) }
        for target in targets {
            // What AWS does not tell of any more is gone, or called otherwise.
            for old in file.instances(matching: target) where old.seen < begun { file.remove(old) }
            file.noteAsked(target.word, at: begun)
        }
    }

    private func pages(of filter: InstanceFilter) async throws(ServiceError) -> [Instance] {
        var instances: [Instance] = []
        var token: String?
        for _ in 0..<mostPages {
            let page = try await caller.describeInstances([filter], nextToken: token)
            instances += page.instances
            token = page.nextToken
            if token == nil { break }
        }
        return instances
    }

    private func known(_ instance: Instance, _ seen: Timestamp) -> KnownInstance {
        var instance = instance
        // Words that people type are brought to the same form.
        instance.ipv6Addresses = instance.ipv6Addresses.compactMap(canonicalAddress)
        return KnownInstance(instance, region: scope.region, seen: seen)
    }

    /// The ids of images that a file lacks: those of the instances, and of those that were made
    /// from others and say nothing by themselves.
    private func wanted(_ instances: [KnownInstance], from file: InventoryFile?) -> [String] {
        var ids: [String] = []
        for known in instances {
            var next = known.instance.imageID
            for _ in 0..<mostImageQuestions {
                guard let id = next else { break }
                guard let image = file?.image(id) else {
                    if !ids.contains(id) { ids.append(id) }
                    break
                }
                let name = image.name ?? ""
                let isKnown = table.users(imageName: name, owner: image.owner) != nil
                next = isKnown || image.name == nil ? nil : image.sourceID
            }
        }
        return ids
    }

    private func completed(
        _ instances: [KnownInstance],
        from file: InventoryFile?
    ) -> [KnownInstance] {
        guard let file else { return instances }
        return instances.map(file.withImages)
    }

    /// Takes the answer from the cache, or asks AWS while no other process does.
    /// - Parameters:
    ///   - known: finds the answer in the cache; nil when AWS has to be asked.
    ///   - wish: the word that whoever asks first shall ask for, too.
    ///   - ask: asks AWS; gets the cache as it is.
    /// - Returns: what the one or the other gave.
    /// - Throws: ``ServiceError``.
    func locked<Value: Sendable>(
        _ known: (InventoryFile) -> Value?,
        wish: String? = nil,
        _ ask: (InventoryFile?) async throws(ServiceError) -> Value
    ) async throws(ServiceError) -> Value {
        if let answer = read().flatMap(known) { return answer }
        // Who has no credentials, or has to be asked for them, keeps nobody waiting.
        _ = try await caller.credentials()
        let lock = cache?.makeLock(scope, note: note)
        defer { withExtendedLifetime(lock) {} }
        var turns = 0
        while let lock, turns < mostTurns, !lock.take() {
            turns += 1
            if let wish { cache?.wishes(scope).leave(wish) }
            // Most likely somebody asks just this, and all who wait can read it together.
            await lock.wait(shared: turns < mostTurns)
            if let answer = read().flatMap(known) { return answer }
        }
        let file = read()
        if let answer = file.flatMap(known) { return answer }
        return try await ask(file)
    }

    /// A file in which nothing was listed yet.
    var empty: InventoryFile {
        InventoryFile(scope: scope.text, fetched: Timestamp(seconds: 0), isWhole: false)
    }

    func read() -> InventoryFile? { cache?.read(scope, note: note) }

    func write(_ file: InventoryFile) { cache?.write(file, scope, note: note) }
}

/// Seconds by which facts may be older than asked for: many processes that find at the same time
/// that theirs are old shall ask once, not one after the other.
let slack: Int64 = 3
/// Endpoints stay for months.
private let goodForEndpoints: Int64 = 3600
/// Pages of 1000 instances that one process reads for all others; a larger region is asked for
/// each word.
private let mostPagesKept = 5
/// Pages that are read at all.
private let mostPages = 100
/// Seconds after which a region that was too large is looked at again.
private let largeRemainsLarge: Int64 = 86_400
/// Words that one process asks for on behalf of others.
private let mostWishes = 1000
/// How often a process waits for what others ask, before it waits for its own turn.
private let mostTurns = 8
/// An image, the one it was made from, and once more.
private let mostImageQuestions = 3
