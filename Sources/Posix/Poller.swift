internal import Glibc

/// What can be waited for on a descriptor.
public struct Events: OptionSet, Sendable, Hashable {
    /// The POLLIN, POLLOUT, POLLHUP and POLLERR bits.
    public let rawValue: Int16
    /// Wraps poll(2)'s bits.
    public init(rawValue: Int16) { self.rawValue = rawValue }
    /// Bytes, a connection or the end can be read.
    public static let read = Events(rawValue: Int16(POLLIN))
    /// Bytes can be written, or a connect has ended.
    public static let write = Events(rawValue: Int16(POLLOUT))
    /// The other end is gone; reported without being asked for.
    public static let hangup = Events(rawValue: Int16(POLLHUP))
    /// The descriptor has an error, or is not open; reported without being asked for.
    public static let error = Events(rawValue: Int16(POLLERR) | Int16(POLLNVAL))
}

/// The descriptors of one turn of the loop and what happened on them.
public struct PollSet {
    /// A place in the set, given when a source asks for a descriptor, valid for this turn.
    public struct Slot: Sendable {
        let index: Int
    }

    var entries: [pollfd] = []

    /// Asks for events on a descriptor in this turn.
    /// - Parameters:
    ///   - number: an open descriptor.
    ///   - events: what to wait for; empty waits for hang-up and errors only.
    /// - Returns: the place to look at in `ready`.
    public mutating func watch(_ number: Int32, _ events: Events) -> Slot {
        entries.append(pollfd(fd: number, events: events.rawValue, revents: 0))
        return Slot(index: entries.count - 1)
    }

    /// What happened on a descriptor that was asked for in this turn.
    /// - Parameter slot: what ``watch(_:_:)`` gave; nil is answered with nothing.
    public subscript(slot: Slot?) -> Events {
        guard let slot, slot.index < entries.count else { return [] }
        return Events(rawValue: entries[slot.index].revents)
    }
}

/// Something that lives in the loop: it says what it waits for, and is told when that happened.
public protocol Source: AnyObject {
    /// Asks for descriptors, before each poll; slots are kept for `ready`.
    func watch(_ set: inout PollSet)
    /// When it wants to be called even if nothing happens; nil for never.
    var deadline: Instant? { get }
    /// Does what can be done now. Called every turn after poll, whatever happened.
    /// - Parameters:
    ///   - set: what happened, by slot.
    ///   - now: the time of this turn.
    /// - Throws: what ends the run; everything else is the source's own state.
    func ready(_ set: PollSet, now: Instant) throws
}

/// The one loop: all descriptors, deadlines and signals of a run are waited for here.
///
/// Phases of a run (connecting, logging in, working) call ``turn()`` until what they wait for has
/// come; whatever else lives in the loop goes on meanwhile.
public final class Poller {
    /// Turns in a row without anything to wait for, after which something is wrong.
    static let busyLimit = 100_000

    /// The time of the current turn.
    public private(set) var now: Instant
    /// The signals that wake the loop.
    public let signals: Signals
    /// Called once when the loop has spun ``busyLimit`` times without waiting.
    public var onBusyLoop: () -> Void = {}

    /// Called at the end of each turn, when no source is in the middle of something.
    ///
    /// It may take turns itself and wait for something; it is not called in those.
    public var chore: (() throws -> Void)?

    private var members: [Member] = []
    private var isInChore = false
    private var set = PollSet()
    private var idleTurns = 0
    /// Whether a source came after this turn's events were waited for.
    private var hasNewSource = false

    /// Makes a loop that signals wake.
    /// - Parameter signals: the process's signals.
    public init(signals: Signals) {
        self.signals = signals
        now = readClock()
    }

    /// Takes a source into the loop, from the next turn on, which does not wait: what another source
    /// has handed to it in this turn brings no event.
    public func add(_ source: any Source) {
        hasNewSource = true
        members.append(Member(source))
    }

    /// Takes a source out; it is not called again, not even in this turn.
    public func remove(_ source: any Source) {
        guard let index = members.firstIndex(where: { $0.source === source }) else { return }
        members.remove(at: index).isIn = false
    }

    /// Lets a source be called before another: who looks at what it has brought sees it in the same
    /// turn.
    public func move(_ source: any Source, before other: any Source) {
        guard let from = members.firstIndex(where: { $0.source === source }) else { return }
        let member = members.remove(at: from)
        let place = members.firstIndex { $0.source === other }
        members.insert(member, at: place ?? members.endIndex)
    }

    /// Waits for the next event and lets every source do what it can.
    /// - Parameter limit: when to come back even if nothing happens.
    /// - Throws: the first error a source throws, or ``SystemError`` of poll itself.
    public func turn(until limit: Instant? = nil) throws {
        // 1. What is waited for, and until when.
        let wakeUp = set.refill(from: members, and: signals)
        let deadline = members.reduce(limit) { earliest($0, $1.source.deadline) }

        // 2. Wait.
        now = readClock()
        let isUrgent = hasNewSource
        hasNewSource = false
        let waited = try set.poll(
            milliseconds: isUrgent ? 0 : milliseconds(from: now, until: deadline)
        )
        now = readClock()
        guardAgainstBusyLoop(waited: waited)

        // 3. Signals first: they may end what the sources would begin.
        if set[wakeUp].contains(.read) || signals.hasNews { signals.collect() }

        // 4. Everyone does what can be done; each flushes what it has put out.
        for member in members where member.isIn {
            try member.source.ready(set, now: now)
        }

        // 5. What may take long, with turns of its own.
        guard let chore, !isInChore else { return }
        isInChore = true
        defer { isInChore = false }
        try chore()
    }

    private func guardAgainstBusyLoop(waited: Bool) {
        idleTurns = waited ? 0 : idleTurns + 1
        if idleTurns == Poller.busyLimit { onBusyLoop() }
    }
}

/// A source's place in the loop, which can be asked in the middle of a turn whether it is still held.
private final class Member {
    let source: any Source
    var isIn = true

    init(_ source: any Source) { self.source = source }
}

extension PollSet {
    fileprivate mutating func refill(from members: [Member], and signals: Signals) -> Slot {
        entries.removeAll(keepingCapacity: true)
        let slot = watch(signals.wakeUp, .read)
        for member in members { member.source.watch(&self) }
        return slot
    }

    /// - Returns: false when nothing happened although there was no time to wait.
    fileprivate mutating func poll(milliseconds: Int32) throws(SystemError) -> Bool {
        let count = unsafe entries.withUnsafeMutableBufferPointer { entries in
            unsafe Glibc.poll(entries.baseAddress, nfds_t(entries.count), milliseconds)
        }
        if count == -1 && errno != EINTR { throw SystemError("poll", code: errno) }
        return count > 0 || milliseconds != 0
    }
}

/// The earlier of two deadlines, where nil is never.
/// - Returns: nil when neither is set.
public func earliest(_ left: Instant?, _ right: Instant?) -> Instant? {
    guard let left else { return right }
    guard let right else { return left }
    return min(left, right)
}

/// Waits for one descriptor alone, outside the loop; for short writes of messages and prompts.
/// - Parameters:
///   - number: an open descriptor.
///   - events: what to wait for.
///   - deadline: when to give up; nil for never.
/// - Returns: what happened; empty when the deadline passed or a signal came.
/// - Throws: ``SystemError``.
@discardableResult
public func waitFor(
    _ number: Int32,
    _ events: Events,
    until deadline: Instant?
) throws(SystemError) -> Events {
    var entry = pollfd(fd: number, events: events.rawValue, revents: 0)
    let count = unsafe Glibc.poll(&entry, 1, milliseconds(from: readClock(), until: deadline))
    if count == -1 && errno != EINTR { throw SystemError("poll", code: errno) }
    return Events(rawValue: count > 0 ? entry.revents : 0)
}

/// Milliseconds for poll(2), rounded up so that the deadline has passed afterwards; -1 for ever.
private func milliseconds(from now: Instant, until deadline: Instant?) -> Int32 {
    guard let deadline else { return -1 }
    let left = (deadline - now).components
    if left.seconds < 0 || left.attoseconds < 0 { return 0 }
    if left.seconds > 86_400 { return 86_400_000 }
    let attosecondsPerMillisecond: Int64 = 1_000_000_000_000_000
    let fraction = (left.attoseconds + attosecondsPerMillisecond - 1) / attosecondsPerMillisecond
    return Int32(left.seconds * 1000 + fraction)
}

extension Poller {
    /// Takes turns until a step that may need several of them is done.
    /// - Parameters:
    ///   - deadline: when to give up; nil for never.
    ///   - step: tried before each turn, and once more when the deadline has passed.
    /// - Returns: what the step gave, or nil when the deadline passed first.
    /// - Throws: what the step or any source in the loop throws.
    public func wait<Value>(
        until deadline: Instant? = nil,
        for step: () throws -> Attempt<Value>
    ) throws -> Value? {
        while true {
            if case .done(let value) = try step() { return value }
            if let deadline, readClock() >= deadline { return nil }
            try turn(until: deadline)
        }
    }
}
