import Testing

@testable import Posix

struct MailboxTests {
    @Test func `values of one sender come in their order, and the loop is woken for them`() throws {
        let box = try Mailbox<Int>()
        #expect(box.take() == [])
        box.send(1)
        box.send(2)
        #expect(try waitFor(box.number, .read, until: readClock() + .seconds(5)) == .read)
        #expect(box.take() == [1, 2])
        #expect(box.take() == [])
        #expect(try waitFor(box.number, .read, until: readClock()).isEmpty)
        box.send(3)
        #expect(try waitFor(box.number, .read, until: readClock() + .seconds(5)) == .read)
        #expect(box.take() == [3])
    }

    @Test func `nothing is lost between many senders and one who takes`() async throws {
        let box = try Mailbox<Int>()
        let senders = (0..<8).map { sender in
            Task.detached { for value in 0..<2_000 { box.send(sender * 10_000 + value) } }
        }
        let taken = try await Task.detached { () throws -> [Int] in
            var taken: [Int] = []
            while taken.count < 16_000 {
                try waitFor(box.number, .read, until: readClock() + .seconds(20))
                taken += box.take()
            }
            return taken
        }.value
        for sender in senders { await sender.value }
        for sender in 0..<8 {
            #expect(taken.filter { $0 / 10_000 == sender }.map { $0 % 10_000 } == Array(0..<2_000))
        }
    }
}
