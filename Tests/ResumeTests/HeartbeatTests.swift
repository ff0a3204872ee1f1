import Testing

@testable import Resume

@Suite struct HeartbeatTests {
    /// A ping's number in what goes out, if there is one.
    private func ping(_ talk: inout Talk) -> [UInt8]? {
        talk.takenFrames().first { $0.type == 0x12 }?.payload
    }

    /// Has one ping answered after a time.
    private func answer(_ talk: inout Talk, after time: Duration) throws {
        talk.session.probe()
        let number = try #require(ping(&talk))
        talk.now += time
        _ = try talk.hear(frame(0x13, number))
    }

    @Test(
        "Unanswered input makes a link suspect, then dead, later where answers take longer",
        arguments: [(1, 1000, 3000), (240, 1000, 3000), (500, 2000, 3000), (2000, 8000, 12000)]
    )
    func verdicts(_ roundTrip: Int, _ suspect: Int, _ dead: Int) throws {
        var talk = try Talk()
        try answer(&talk, after: .milliseconds(roundTrip))
        #expect(talk.session.roundTrip == .milliseconds(roundTrip))
        let asked = talk.now
        #expect(talk.send("x") == 1)
        #expect(ping(&talk) != nil)
        for (time, verdict) in [
            (suspect - 1, ResumeSession.Liveness.alive), (suspect, .suspect),
            (dead - 1, .suspect), (dead, .dead),
        ] {
            talk.now = asked + .milliseconds(time)
            talk.session.advance(now: talk.now)
            #expect(talk.session.liveness(talk.now) == verdict, "after \(time) ms")
        }
        talk.now = asked + .milliseconds(dead - 1)
        _ = try talk.hear(frame(0x12, wire(8, 1)))
        #expect(talk.session.liveness(talk.now) == .alive)
    }

    @Test("Deadlines lead from one verdict to the next")
    func deadlines() throws {
        var talk = try Talk()
        try answer(&talk, after: .milliseconds(10))
        let asked = talk.now
        #expect(talk.send("x") == 1)
        _ = talk.taken()
        var times: [Duration] = []
        while talk.session.liveness(talk.now) != .dead, let next = talk.session.deadline(talk.now) {
            #expect(next > talk.now)
            talk.now = next
            times.append(next - asked)
        }
        #expect(times == [.seconds(1), .seconds(3)])
    }

    @Test("A quiet link is asked every 15 s, and silence alone is no fault")
    func idle() throws {
        var talk = try Talk()
        let start = talk.now
        #expect(talk.session.deadline(talk.now) == start + .seconds(15))
        talk.now += .milliseconds(14_999)
        #expect(ping(&talk) == nil)
        #expect(talk.session.liveness(talk.now) == .alive)
        talk.now += .milliseconds(1)
        #expect(talk.session.hasSomethingToSend(talk.now))
        let number = try #require(ping(&talk))
        _ = try talk.hear(frame(0x13, number))
        #expect(talk.session.deadline(talk.now) == talk.now + .seconds(15))
    }

    @Test("Bytes that a link does not take count as unanswered")
    func stuck() throws {
        var talk = try Talk()
        try answer(&talk, after: .milliseconds(10))
        #expect(talk.send("x") == 1)
        talk.session.advance(now: talk.now)
        talk.now += .seconds(3)
        talk.session.advance(now: talk.now)
        #expect(talk.session.liveness(talk.now) == .dead)
    }

    @Test("A process that was asleep asks before it judges")
    func excuse() throws {
        var talk = try Talk()
        #expect(talk.send("x") == 1)
        _ = talk.taken()
        talk.now += .seconds(3600)
        talk.session.excuse(now: talk.now)
        #expect(talk.session.liveness(talk.now) == .alive)
        talk.now += .seconds(3)
        #expect(talk.session.liveness(talk.now) == .dead)
        // Where nothing was asked before, it asks now.
        talk = try Talk()
        talk.now += .seconds(3600)
        talk.session.excuse(now: talk.now)
        #expect(ping(&talk) != nil)
    }

    @Test("A link that never answers is given up after 10 s, before which it is not suspect")
    func greeting() throws {
        var talk = try Talk(isUp: false)
        #expect(talk.session.liveness(talk.now) == .dead)
        talk.session.attach(.exec, now: talk.now)
        _ = talk.taken()
        #expect(talk.session.deadline(talk.now) == talk.now + .seconds(10))
        talk.now += .milliseconds(9999)
        #expect(talk.session.liveness(talk.now) == .alive)
        talk.now += .milliseconds(1)
        #expect(talk.session.liveness(talk.now) == .dead)
    }

    @Test("A host that is slow to answer is given more time with each link")
    func patience() throws {
        var talk = try Talk(isUp: false)
        for seconds in [10, 20, 40, 80, 80] {
            talk.session.attach(.exec, now: talk.now)
            _ = talk.taken()
            #expect(talk.session.deadline(talk.now) == talk.now + .seconds(seconds))
            talk.session.lose(channelEnded: false, now: talk.now)
        }
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        _ = try talk.hear(Talk.welcome(generation: 6))
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        #expect(talk.session.deadline(talk.now) == talk.now + .seconds(10))
    }

    @Test("A host that is silent after each welcome is given more time, until it answers")
    func silences() throws {
        var talk = try Talk()
        for (generation, seconds) in [(2, 3), (3, 6), (4, 12), (5, 24), (6, 24)] {
            #expect(talk.send("x") == 1)
            _ = talk.taken()
            let asked = talk.now
            talk.now = asked + .seconds(seconds) - .milliseconds(1)
            #expect(talk.session.liveness(talk.now) == .suspect)
            talk.now = asked + .seconds(seconds)
            #expect(talk.session.liveness(talk.now) == .dead)
            talk.session.lose(channelEnded: false, now: talk.now)
            talk.session.attach(.socket, now: talk.now)
            _ = talk.taken()
            _ = try talk.hear(Talk.welcome(generation: UInt32(generation)))
        }
        try answer(&talk, after: .milliseconds(10))
        talk.session.lose(channelEnded: false, now: talk.now)
        talk.session.attach(.socket, now: talk.now)
        _ = talk.taken()
        _ = try talk.hear(Talk.welcome(generation: 7))
        #expect(talk.send("x") == 1)
        _ = talk.taken()
        talk.now += .seconds(3)
        #expect(talk.session.liveness(talk.now) == .dead)
    }

    @Test("A way that mends itself is given the time for it, on links from then on")
    func forbearance() throws {
        var talk = try Talk()
        talk.session.forbearance = 3
        for (generation, seconds) in [(2, 3), (3, 18)] {
            #expect(talk.send("x") == 1)
            _ = talk.taken()
            talk.now += .seconds(seconds) - .milliseconds(1)
            #expect(talk.session.liveness(talk.now) == .suspect)
            talk.now += .milliseconds(1)
            #expect(talk.session.liveness(talk.now) == .dead)
            talk.session.lose(channelEnded: false, now: talk.now)
            talk.session.attach(.socket, now: talk.now)
            _ = talk.taken()
            _ = try talk.hear(Talk.welcome(generation: UInt32(generation)))
        }
    }

    @Test(
        "A slow line that takes all there is to send is alive, a fast one gets large pieces",
        arguments: [
            (10_000, 4096...5000), (60_000, 10_000...20_000), (50_000_000, 60_000...65_536),
        ]
    )
    func pace(_ bytesPerSecond: Int, _ pieces: ClosedRange<Int>) throws {
        var talk = try Talk(window: 16 << 20)
        let delay = Duration.milliseconds(150)
        let input = [UInt8](repeating: 1, count: min(bytesPerSecond * 60, 8 << 20))
        #expect(talk.session.send(input.span) == input.count)
        // The line carries at its speed, and takes 256 KiB more than that.
        var line: [(arrival: ContinuousClock.Instant, bytes: [UInt8])] = []
        var free = talk.now
        var received = 0
        var sizes: [Int] = []
        while received < input.count {
            while line.reduce(0, { $0 + $1.bytes.count }) < 262_144,
                talk.session.hasSomethingToSend(talk.now)
            {
                let bytes = talk.takenOnce()
                sizes.append(bytes.count)
                free = max(free, talk.now)
                free += .seconds(Double(bytes.count) / Double(bytesPerSecond))
                line.append((free + delay, bytes))
            }
            var (arrival, bytes) = line.removeFirst()
            while talk.now < arrival {
                talk.now = min(arrival, talk.session.deadline(talk.now) ?? arrival)
                talk.session.advance(now: talk.now)
                try #require(talk.session.liveness(talk.now) == .alive)
            }
            while let (type, payload) = takeFrame(&bytes) {
                if type == 0x10 {
                    received += payload.count - 8
                    _ = try talk.hear(frame(0x11, wire(8, received) + wire(8, received)))
                } else if type == 0x12 {
                    _ = try talk.hear(frame(0x13, payload))
                }
            }
        }
        let largest = try #require(sizes.dropFirst(sizes.count / 2).max())
        #expect(pieces.contains(largest - 12 - 12))
    }

    @Test("What the other side asks is answered once, however often it asks")
    func pong() throws {
        var talk = try Talk()
        for number in 1...1000 { _ = try talk.hear(frame(0x12, wire(8, number))) }
        let answers = talk.takenFrames().filter { $0.type == 0x13 }
        #expect(answers.map(\.payload) == [wire(8, 1000)])
    }

    @Test(
        "Consumption is acknowledged within 200 ms, at once when it is much, and before an answer"
    )
    func acknowledgement() throws {
        var talk = try Talk()
        _ = try talk.hearStream(frame(0x01, wire(4, 0) + [1]))
        #expect(talk.takenFrames().isEmpty)
        #expect(talk.session.deadline(talk.now) == talk.now + .milliseconds(200))
        talk.now += .milliseconds(200)
        var frames = talk.takenFrames()
        #expect(frames.map(\.type) == [0x11])
        #expect(frames.first?.payload == wire(8, 9) + wire(8, 9))
        _ = try talk.hearStream(frame(0x01, wire(4, 0) + [1]))
        _ = try talk.hear(frame(0x12, wire(8, 5)))
        frames = talk.takenFrames()
        #expect(frames.map(\.type) == [0x11, 0x13])
        let much = (0..<4).flatMap { _ in
            frame(0x01, wire(4, 0) + Array(repeating: 0, count: 32_768))
        }
        _ = try talk.hearStream(Array(much.prefix(65_536)))
        #expect(talk.takenFrames().isEmpty)
        _ = try talk.hearStream(Array(much.dropFirst(65_536).prefix(65_536)))
        #expect(talk.takenFrames().map(\.type) == [0x11])
    }
}
