public import AWS
internal import Posix

/// Whose instances a cache holds: one account as far as can be told without asking, one region.
public struct InventoryScope: Sendable, Hashable {
    /// The profile's name, or whatever stands for the account where there is none; no secret.
    public let profile: String
    /// The region.
    public let region: String
    /// The endpoint, where it is not AWS's own.
    public let endpoint: String?

    /// Names a scope.
    /// - Parameters:
    ///   - profile: the profile's name. Where keys come from the environment, their id tells
    ///     accounts apart.
    ///   - region: the region.
    ///   - endpoint: the URL of an endpoint that is not AWS's own.
    public init(profile: String, region: String, endpoint: String? = nil) {
        self.profile = profile
        self.region = region
        self.endpoint = endpoint
    }

    var text: String {
        "\(profile)@\(region)" + (endpoint.map { "@\($0)" } ?? "")
    }
}

/// The instances that were seen, in a file for each scope, shared by all processes of the user.
///
/// What is in it may be wrong by now: addresses move when an instance is stopped. Who finds that
/// out asks the ``Inventory`` for newer facts.
public struct InventoryCache: Sendable {
    private let files: CacheDirectory

    /// Finds the place of the files by the XDG base directory specification.
    /// - Parameters:
    ///   - environment: XDG_CACHE_HOME counts when it is an absolute path.
    ///   - home: the home directory; nil when there is none, which gives nil without XDG's word.
    public init?(environment: [String: String], home: String?) {
        guard let files = CacheDirectory("inventory", environment: environment, home: home) else {
            return nil
        }
        self.files = files
    }

    /// Whether anything was ever kept here.
    public var isEmpty: Bool { (try? fileFacts(path: files.path)) == nil }

    /// Finds an instance without asking anybody.
    /// - Parameters:
    ///   - target: the word that stands for it.
    ///   - scopes: where to look; all of them, where a word may mean several.
    ///   - now: the time by this machine's clock.
    ///   - note: gets a sentence when a file cannot be used.
    /// - Returns: nil unless exactly one running instance is known, and known well enough.
    public func find(
        _ target: InstanceTarget,
        in scopes: [InventoryScope],
        now: Timestamp,
        note: (String) -> Void = { _ in }
    ) -> KnownInstance? {
        var found: [KnownInstance] = []
        for scope in scopes {
            guard let file = read(scope, note: note) else {
                if target.isFickle { return nil }
                continue
            }
            let matches = present(file.instances(matching: target))
            // An old list does not know what was started since, and a part of one not what is in
            // the rest.
            let isAll = file.isWhole && !matches.isEmpty || file.knowsAll(of: target, now: now)
            if target.isFickle, !isAll { return nil }
            found += matches
        }
        guard found.count == 1, let known = found.first, known.isGood(for: target, now: now) else {
            return nil
        }
        return known
    }

    /// Finds what AWS has told of a key pair, without asking anybody.
    /// - Parameters:
    ///   - name: its name.
    ///   - scope: where it is.
    ///   - now: the time by this machine's clock.
    ///   - note: gets a sentence when the file cannot be used.
    /// - Returns: nil when nobody has asked, or too long ago.
    public func keyPair(
        _ name: String,
        in scope: InventoryScope,
        now: Timestamp,
        note: (String) -> Void = { _ in }
    ) -> KnownKeyPair? {
        read(scope, note: note)?.keyPair(name).flatMap { $0.isGood(now: now) ? $0 : nil }
    }

    /// The words that may be typed for instances that were seen, for completion.
    /// - Parameters:
    ///   - scopes: where to look.
    ///   - beginning: what the words begin with; nil for any.
    ///   - note: gets a sentence when a file cannot be used.
    /// - Returns: Name tags and ids of those that are not gone, however old the news of them is:
    ///   each once, in order, and none that ssh would not take for a host (`ssh_valid_hostname` in
    ///   readconf.c) or would take for a user and a host.
    public func words(
        in scopes: [InventoryScope],
        beginning: String? = nil,
        note: (String) -> Void = { _ in }
    ) -> [String] {
        let known = scopes.flatMap { read($0, note: note)?.callings ?? [] }
        let words = known.flatMap { [$0.name, $0.id].compactMap { $0 } }
        return Set(words.filter { $0.hasPrefix(beginning ?? "") && isHost($0) }).sorted()
    }

    /// Reads the file of a scope; nil when there is none that can be used.
    func read(_ scope: InventoryScope, note: (String) -> Void) -> InventoryFile? {
        let path = path(scope)
        guard let bytes = CacheDirectory.read(path, limit: largestFile, note: note) else {
            return nil
        }
        let file = InventoryFile(bytes, scope: scope.text)
        if file == nil { note("\(path) cannot be understood, not used") }
        return file
    }

    /// Writes the file of a scope, if it can be written.
    func write(_ file: InventoryFile, _ scope: InventoryScope, note: (String) -> Void) {
        do throws(SystemError) {
            try files.write(path(scope), file.bytes)
        } catch {
            note("the inventory is not kept: \(error.summary)")
        }
    }

    /// Opens what processes lock that ask AWS about a scope.
    /// - Parameters:
    ///   - scope: whose instances are asked for.
    ///   - note: gets a sentence when there can be no lock.
    /// - Returns: not locked yet; nil when there can be none.
    func makeLock(_ scope: InventoryScope, note: (String) -> Void) -> CacheLock? {
        files.makeLock(path(scope), note: note)
    }

    /// What processes wait for that ask AWS about a scope.
    func wishes(_ scope: InventoryScope) -> InventoryWishes {
        InventoryWishes(path: path(scope) + ".wishes")
    }

    private func path(_ scope: InventoryScope) -> String { files.file(scope.text) }

    /// Five thousand instances with many tags have some 10 MB.
    private let largestFile = 64 << 20
}

private func isHost(_ word: String) -> Bool {
    !word.isEmpty && !word.hasPrefix("-")
        && word.unicodeScalars.allSatisfy { scalar in
            let isControl = scalar.value <= 0x20 || (0x7f..<0xa0).contains(scalar.value)
            return !isControl && !"'`\"$\\;&<>|(){},@".unicodeScalars.contains(scalar)
        }
}

/// Those that are not gone, or all when nothing else is there.
func present(_ instances: [KnownInstance]) -> [KnownInstance] {
    let present = instances.filter { !$0.instance.state.isGone }
    return present.isEmpty ? instances : present
}

extension InventoryFile {
    /// Whether what matches a name or an address is all there is, and lately was.
    func knowsAll(of target: InstanceTarget, now: Timestamp) -> Bool {
        let told = isWhole ? fetched : asked(target.word)
        return told?.isWithin(goodForNames, of: now) ?? false
    }
}

extension KnownInstance {
    /// Whether this is good enough to go on with, so that nobody need be asked.
    func isGood(for target: InstanceTarget, now: Timestamp) -> Bool {
        instance.state == .running && (address != nil || isManaged)
            && seen.isWithin(target.isFickle ? goodForNames : goodForIDs, of: now)
    }
}

extension Timestamp {
    /// Whether this is at most so many seconds ago; what lies ahead is nobody's memory.
    func isWithin(_ seconds: Int64, of now: Timestamp) -> Bool {
        (0...seconds).contains(now.seconds - self.seconds)
    }
}

/// Names and addresses go from one instance to another.
private let goodForNames: Int64 = 3600
/// The address of an instance stays as long as it runs; where it does not, the login will tell.
private let goodForIDs: Int64 = 7 * 86_400
