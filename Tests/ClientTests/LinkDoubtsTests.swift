import Posix
import Testing

@testable import Client

struct LinkDoubtsTests {
    @Test("A change, a sleep and a stop are each told once; what is no change is not")
    func reasons() throws {
        let doubts = LinkDoubts(Poller(signals: try Signals()))
        let asleep = timeAsleep()
        for (changes, sleep, continuations, reason) in [
            (0, 0, 0, nil), (1, 0, 0, .network), (1, 0, 0, nil), (3, 0, 0, .network),
            (3, 999, 0, nil), (3, 1999, 0, .absence), (3, 1999, 0, nil),
            (3, 1999, 1, .absence), (3, 1999, 1, nil), (4, 9999, 2, .absence), (4, 9999, 2, nil),
        ] as [(Int, Int, Int, LinkDoubts.Reason?)] {
            let told = doubts.next(
                changes: changes,
                asleep: asleep + .milliseconds(sleep),
                continuations: continuations
            )
            #expect(told == reason, "\(changes) \(sleep) \(continuations)")
        }
    }
}
