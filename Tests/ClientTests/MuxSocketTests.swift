import Glibc
import Posix
import Testing

@testable import Client

/// Messages and descriptors through a real socket.
struct MuxSocketTests {
    @Test("messages and descriptors keep their order, in pieces and at once")
    func order() throws {
        let pair = try makeSocketPair()
        let near = try MuxSocket(pair.near)
        let far = try MuxSocket(pair.far)
        let pipe = try makePipe()
        near.send(MuxRequest.aliveCheck(id: 1).body)
        near.send(descriptor: pipe.far.number)
        near.send(descriptor: pipe.near.number)
        near.send(MuxRequest.terminate(id: 2).body)
        try near.flush()
        #expect(!near.hasOutput)
        #expect(try far.receive() == .message(MuxRequest.aliveCheck(id: 1).body))
        for original in [pipe.far.number, pipe.near.number] {
            guard case .descriptor(let passed) = try far.receiveDescriptor() else {
                Issue.record("no descriptor came")
                return
            }
            #expect(passed.number != original)
            #expect(try fileFacts(of: passed.number).identity == fileFacts(of: original).identity)
        }
        #expect(try far.receive() == .message(MuxRequest.terminate(id: 2).body))
        #expect(try far.receive() == .nothing)
    }

    @Test("what does not fit waits, and is whole in the end")
    func backlog() throws {
        let pair = try makeSocketPair()
        let near = try MuxSocket(pair.near)
        let far = try MuxSocket(pair.far)
        var session = MuxSession()
        session.command = [UInt8](repeating: 0x61, count: 200_000)
        let body = MuxRequest.newSession(id: 3, session).body
        for _ in 0..<4 { near.send(body) }
        try near.flush()
        #expect(near.hasOutput)
        var count = 0
        while count < 4 {
            try near.flush()
            if case .message(let message) = try far.receive() {
                #expect(message == body)
                count += 1
            }
        }
        #expect(!near.hasOutput)
    }

    @Test("a message in the place of a descriptor is an error, and so is the end")
    func noDescriptor() throws {
        let pair = try makeSocketPair()
        let far = try MuxSocket(pair.far)
        do {
            let near = try MuxSocket(pair.near)
            near.send(MuxRequest.aliveCheck(id: 1).body)
            try near.flush()
            #expect(throws: SystemError.self) { _ = try far.receiveDescriptor() }
        }
        while try far.receive() != .end {}
    }
}
