public import Arguments
internal import EC2
internal import Faults
internal import Posix
internal import Resume
internal import SSHConfig

/// `ec2sh attach [HOST] [ID] [--end] [--json]`: shows the sessions that were left running, takes one
/// up again with all it has put out since, or ends it.
public struct AttachRun {
    private let context: Context
    private let records: SessionRecords
    /// What the session's id begins with, when one was named.
    private let wanted: String?
    private let invocation: Invocation

    /// Prepares a run.
    /// - Parameters:
    ///   - context: what the run shares.
    ///   - configure: makes a configuration of a command line, for an id whose host is on record.
    /// - Throws: what is wrong with the configuration; ``SessionNotFound``.
    public init(
        in context: Context,
        configure: (Invocation) throws -> Configuration
    ) throws {
        records = SessionRecords(of: context)
        let typed = context.configuration.invocation
        guard typed.command.isEmpty, let id = typed.destination,
            SessionRecord.isPart(ofID: id)
        else {
            self.context = context
            wanted = typed.command.first
            invocation = typed
            return
        }
        let entries = records.all().filter { $0.record.id.hasPrefix(id) }
        guard entries.count == 1, let record = entries.first?.record else {
            // A short name of a host may look like a part of an id.
            if entries.isEmpty, !SessionRecord.isID(id) {
                self.context = context
                wanted = nil
                invocation = typed
                return
            }
            throw SessionNotFound(id: id, host: nil, isAmbiguous: !entries.isEmpty)
        }
        var invocation = typed
        invocation.words.removeAll { if case .destination = $0 { true } else { false } }
        invocation.words += record.words()
        wanted = record.id
        self.invocation = invocation
        self.context = Context(
            poller: context.poller,
            trace: context.trace,
            prompter: context.prompter,
            environment: context.environment,
            user: context.user,
            configuration: try configure(invocation)
        )
    }

    private func has(_ option: Verb.LongOption) -> Bool { invocation.words.contains(.long(option)) }

    /// Does it.
    /// - Returns: the session's exit status; 0 for a list, 1 for an empty one.
    /// - Throws: ``SessionNotFound``; ``Stopped`` when there is no login.
    public func run() throws -> Int32 {
        guard let host = invocation.destination else {
            return try show(records.all().map(SessionRow.init))
        }
        var search = try LoginSearch(Plan(context.configuration), in: context)
        defer { search.end() }
        let connection = try search.connect()
        let listings = try ListQuestion().ask(connection.session, in: context)
        let listing = try choose(from: listings, host)
        guard let listing, let server = connection.server else {
            defer { connection.close() }
            return try show(listings.map(SessionRow.init))
        }
        let carrier = ResumedCarrier(
            connection,
            Reconnector(search, server, in: context),
            ResumeSettings(attaching: search.plan.options),
            in: context
        )
        carrier.records = SessionKeeper(records, invocation)
        carrier.joins = listing
        defer { carrier.close() }
        return try has(.end) ? end(carrier) : attach(carrier, search.plan, connection, listing)
    }

    private func attach(
        _ carrier: ResumedCarrier,
        _ plan: Plan,
        _ connection: Connection,
        _ listing: ResumeListing
    ) throws -> Int32 {
        var plan = plan
        plan.task = .shell
        plan.wantsTerminal = listing.hasPty && isTerminal(0)
        plan.options.forkAfterAuthentication = false
        plan.options.controlMaster = .no
        let loggedIn = LoggedIn(
            context: context,
            plan: plan,
            session: carrier,
            restrictions: connection.restrictions
        )
        return try Work(loggedIn: loggedIn).run()
    }

    /// Takes the session over, and hangs it up.
    private func end(_ carrier: ResumedCarrier) throws -> Int32 {
        let channel = carrier.openResumed()
        _ = try context.poller.wait { try channel.open() }
        // Nothing is to be seen of it any more.
        unsafe channel.onData = { bytes, _ in bytes.count }
        _ = try context.poller.wait { try channel.shell() }
        return channel.isLost ? Work.failure : 0
    }

    /// The session that is meant; nil when a list is.
    private func choose(
        from listings: [ResumeListing],
        _ host: String
    ) throws -> ResumeListing? {
        if let wanted {
            let fitting = listings.filter { $0.identity.description.hasPrefix(wanted) }
            if let only = fitting.first, fitting.count == 1 { return has(.json) ? nil : only }
            if fitting.isEmpty, SessionRecord.isID(wanted) { records.remove(wanted) }
            throw SessionNotFound(id: wanted, host: host, isAmbiguous: !fitting.isEmpty)
        }
        let waiting = listings.filter { !$0.isAttached && !$0.isLost && $0.isForPeople }
        return !has(.json) && waiting.count == 1 ? waiting.first : nil
    }

    private func show(_ rows: [SessionRow]) throws -> Int32 {
        if has(.json) {
            try writeAll(1, Array(SessionRow.json(rows).utf8))
        } else if rows.isEmpty {
            context.trace.say(.info, "ec2sh: no sessions were left running")
        } else {
            try writeAll(1, Array(SessionRow.text(rows, now: readWallClock()).utf8))
            let words = (["ec2sh attach", invocation.destination, "ID"]).compactMap { $0 }
            context.trace.say(.info, "ec2sh: take one up by: \(words.joined(separator: " "))")
        }
        return rows.isEmpty ? 1 : 0
    }
}

extension ResumeListing {
    /// Whether somebody would want to see it again.
    fileprivate var isForPeople: Bool { kind == .shell || kind == .command }
}

/// Says that a session that was named is not there.
struct SessionNotFound: Fault {
    let id: String
    let host: String?
    let isAmbiguous: Bool
    var layer: Layer { .usage }
    var summary: String {
        let place = host.map { "on \($0)" } ?? "on record here"
        return isAmbiguous
            ? "more than one session \(place) begins with \(printableID)"
            : "there is no session \(printableID) \(place)"
    }
    private var printableID: String { visible(id.utf8) }
    var hint: Hint? { .run("ec2sh attach" + (host.map { " \(visible($0.utf8))" } ?? "")) }
}
