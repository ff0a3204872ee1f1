import Glibc
import Testing

@testable import Posix

@Suite(.serialized)
struct PollerTests {
    /// Counts how often it is called, and does something each time.
    private final class Caller: Source {
        var calls = 0
        var onReady: () throws -> Void = {}
        /// Always due, so that no turn waits.
        var deadline: Instant? { readClock() }
        func watch(_ set: inout PollSet) {}
        func ready(_ set: PollSet, now: Instant) throws {
            calls += 1
            try onReady()
        }
    }

    private let poller: Poller

    init() throws { poller = Poller(signals: try Signals()) }

    @Test func `a signal that comes when poll has looked at its pipe is there before any source`()
        throws
    {
        let signals = poller.signals
        noteSignal(SIGWINCH)
        // As poll sees it when the handler runs between its look and its return.
        var byte: UInt8 = 0
        _ = read(signals.wakeUp, &byte, 1)
        let source = Caller()
        var isSeen = false
        source.onReady = { isSeen = signals.isPending(.windowChange) }
        poller.add(source)
        try poller.turn()
        #expect(isSeen)
    }

    @Test func `a source that is removed in the middle of a turn is not called in it`() throws {
        let first = Caller()
        let second = Caller()
        poller.add(first)
        poller.add(second)
        first.onReady = { [poller] in poller.remove(second) }
        try poller.turn()
        #expect(first.calls == 1)
        #expect(second.calls == 0)
        poller.remove(first)
        poller.remove(first)
        poller.add(second)
        try poller.turn()
        #expect(first.calls == 1)
        #expect(second.calls == 1)
    }

    @Test func `a source that is moved is called before the other`() throws {
        var order: [Int] = []
        let callers = (0..<3).map { _ in Caller() }
        for (number, caller) in callers.enumerated() {
            caller.onReady = { order.append(number) }
            poller.add(caller)
        }
        poller.move(callers[2], before: callers[1])
        try poller.turn()
        #expect(order == [0, 2, 1])
        order = []
        poller.remove(callers[1])
        poller.move(callers[0], before: callers[1])
        try poller.turn()
        #expect(order == [2, 0])
    }

    @Test func `a chore takes turns of its own, in which it is not begun again`() throws {
        let caller = Caller()
        poller.add(caller)
        var chores = 0
        var callsAtBegin = 0
        poller.chore = { [poller] in
            chores += 1
            callsAtBegin = caller.calls
            for _ in 0..<3 { try poller.turn() }
        }
        try poller.turn()
        // Every source was called before the chore began.
        #expect(callsAtBegin == 1)
        #expect(chores == 1)
        #expect(caller.calls == 4)
        try poller.turn()
        #expect(chores == 2)
    }

    @Test func `what a source throws in a turn of the chore's ends the chore, not the next one`()
        throws
    {
        struct Stop: Error {}
        let caller = Caller()
        var chores = 0
        poller.chore = { [poller] in
            chores += 1
            if chores == 1 { caller.onReady = { throw Stop() } }
            defer { caller.onReady = {} }
            try poller.turn()
        }
        poller.add(caller)
        #expect(throws: Stop.self) { try poller.turn() }
        try poller.turn()
        #expect(chores == 2)
    }

    @Test func `a signal can be seen without being taken`() throws {
        poller.signals.catchSignal(.resume)
        #expect(!poller.signals.isPending(.resume))
        kill(getpid(), SIGCONT)
        try poller.turn()
        #expect(poller.signals.isPending(.resume))
        #expect(poller.signals.isPending(.resume))
        #expect(poller.signals.take(.resume))
        #expect(!poller.signals.isPending(.resume))
        poller.signals.restoreDefault(.resume)
    }
}
