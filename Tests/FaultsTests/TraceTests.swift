import Testing

@testable import Faults

@Suite("Trace")
struct TraceTests {
    private final class Lines {
        var all: [String] = []
    }

    @Test(
        "tells what its level allows and nothing above it",
        arguments: [
            (Trace.Level.quiet, [] as [String]),
            (.fatal, ["fatal"]),
            (.error, ["fatal", "error"]),
            (.info, ["fatal", "error", "info"]),
            (.verbose, ["fatal", "error", "info", "verbose"]),
            (.debug1, ["fatal", "error", "info", "verbose", "debug1: auth: one"]),
            (
                .debug2,
                ["fatal", "error", "info", "verbose", "debug1: auth: one", "debug2: link: two"]
            ),
        ]
    )
    func levels(level: Trace.Level, expected: [String]) {
        let lines = Lines()
        let trace = Trace(level: level) { lines.all.append($0) }
        trace.say(.fatal, "fatal")
        trace.say(.error, "error")
        trace.say(.info, "info")
        trace.say(.verbose, "verbose")
        trace.debug(.debug1, .auth, "one")
        trace.debug(.debug2, .link, "two")
        #expect(lines.all == expected)
    }

    @Test("tells everything of a layer that is open, and says of which level a line is")
    func openLayers() {
        let lines = Lines()
        let trace = Trace(level: .info) { lines.all.append($0) }
        trace.openLayers = [.trust]
        trace.debug(.debug3, .trust, "all")
        #expect(trace.lineLevel == .debug3)
        trace.debug(.debug1, .auth, "nothing")
        trace.say(.error, "error")
        #expect(trace.lineLevel == .error)
        #expect(lines.all == ["debug3: trust: all", "error"])
    }

    @Test("does not evaluate a message it will not tell")
    func lazyMessages() {
        var evaluated = false
        let trace = Trace(level: .info) { _ in }
        trace.debug(
            .debug1,
            .auth,
            {
                evaluated = true; return "costly"
            }()
        )
        #expect(!evaluated)
    }
}

@Suite("Hint")
struct HintTests {
    @Test("a command is marked as one, advice stands alone")
    func text() {
        #expect(Hint.run("chmod 600 key").text == "run: chmod 600 key")
        #expect(Hint.advice("ask the owner").text == "ask the owner")
    }
}
