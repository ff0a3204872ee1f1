import Testing

@testable import Terminal

struct EscapeFilterTests {
    struct Row: Sendable, CustomTestStringConvertible {
        var typed: String
        var actions: [EscapeAction]
        var setting = EscapeFilter.Setting()
        var testDescription: String { typed.debugDescription }

        init(
            _ typed: String,
            _ actions: [EscapeAction],
            _ change: (inout EscapeFilter.Setting) -> Void = { _ in }
        ) {
            self.typed = typed
            self.actions = actions
            change(&setting)
        }
    }

    static let rows: [Row] = [
        Row("", []),
        Row("hello", [.sent("hello")]),
        // Where the escape character counts.
        Row("~.", [.show("~.\r\n"), .disconnect]),
        Row("ls\r~.", [.sent("ls\r"), .show("~.\r\n"), .disconnect]),
        Row("ls\n~.", [.sent("ls\n"), .show("~.\r\n"), .disconnect]),
        Row("ls ~.", [.sent("ls ~.")]),
        Row("x~.\r", [.sent("x~.\r")]),
        Row("\u{8}~.", [.sent("\u{8}~.")]),
        // What is typed after the end is lost.
        Row("~.more\r~?", [.show("~.\r\n"), .disconnect]),
        Row("~&more", [.show("~& [backgrounded]\n"), .background]),
        // Each of them.
        Row("~\u{1a}", [.show("~^Z [suspend ssh]\r\n"), .suspend]),
        Row("~B", [.show("~B\r\n"), .sendBreak]),
        Row("~R", [.rekey]),
        Row("~v~V", [.changeVerbosity(more: true), .changeVerbosity(more: false)]),
        Row("~#", [.show("~#\r\n"), .listConnections]),
        Row("~?", [.show(EscapeFilter(.init()).helpText)]),
        Row("~C", [.show("commandline disabled\r\n")]),
        Row("~C", [.openCommandLine]) { $0.allowsCommandLine = true },
        // After one that was obeyed another may follow at once; text may follow too.
        Row("~R~R", [.rekey, .rekey]),
        Row("~Rls\r", [.rekey, .sent("ls\r")]),
        // Twice is once, and then it is text.
        Row("~~", [.sent("~")]),
        Row("~~.", [.sent("~.")]),
        Row("~~\r~R", [.sent("~\r"), .rekey]),
        // A key that means nothing is sent with its escape character.
        Row("~x", [.sent("~x")]),
        Row("~x~R", [.sent("~x~R")]),
        Row("~\r~R", [.sent("~\r"), .rekey]),
        Row("~b~r", [.sent("~b~r")]),
        // Other escape characters.
        Row("~.", [.sent("~.")]) { $0.character = nil },
        Row("%.~.", [.show("%.\r\n"), .disconnect]) { $0.character = UInt8(ascii: "%") },
        Row("~.\r%R", [.sent("~.\r"), .rekey]) { $0.character = UInt8(ascii: "%") },
        Row("\u{1d}B", [.show("\u{1d}B\r\n"), .sendBreak]) { $0.character = 0x1d },
        // A key that is the escape character itself still means what it means (clientloop.c).
        Row("..", [.show("..\r\n"), .disconnect]) { $0.character = UInt8(ascii: ".") },
        // Over somebody else's connection.
        Row("~.", [.show("~.\r\n"), .disconnect]) { $0.isMultiplexed = true },
        Row("~B", [.show("~B\r\n"), .sendBreak]) { $0.isMultiplexed = true },
        Row("~\u{1a}", [refusal("^Z")]) { $0.isMultiplexed = true },
        Row("~&x", [refusal("&"), .sent("x")]) { $0.isMultiplexed = true },
        Row("~C", [refusal("C")]) { $0.isMultiplexed = true },
        Row("~v", [refusal("v")]) { $0.isMultiplexed = true },
        Row("~V", [refusal("V")]) { $0.isMultiplexed = true },
    ]

    static func refusal(_ key: String) -> EscapeAction {
        .show("~\(key) escape not available to multiplexed sessions\r\n")
    }

    @Test(arguments: rows)
    func `what is typed becomes what OpenSSH makes of it`(row: Row) {
        var filter = EscapeFilter(row.setting)
        #expect(filter.filter(Array(row.typed.utf8)) == row.actions)
    }

    @Test(arguments: rows)
    func `a sequence may come in pieces`(row: Row) {
        let bytes = Array(row.typed.utf8)
        for cut in 0...bytes.count {
            var filter = EscapeFilter(row.setting)
            let actions = filter.filter(bytes[..<cut])
            let last = actions.last
            let rest =
                last == .disconnect || last == .background ? [] : filter.filter(bytes[cut...])
            #expect(merged(actions + rest) == row.actions, "cut at \(cut)")
        }
        var filter = EscapeFilter(row.setting)
        var actions: [EscapeAction] = []
        for byte in bytes where actions.last != .disconnect && actions.last != .background {
            actions += filter.filter([byte])
        }
        #expect(merged(actions) == row.actions)
    }

    @Test func `bytes that are no text pass as they are`() {
        var filter = EscapeFilter(.init())
        let bytes = (0...255).map { UInt8($0) }
        #expect(filter.filter(bytes) == [.send(bytes)])
    }

    @Test func `the help is OpenSSH's`() {
        let text = """
            ~?
            Supported escape sequences:
             ~.   - terminate connection (and any multiplexed sessions)
             ~B   - send a BREAK to the remote system
             ~R   - request rekey
             ~V/v - decrease/increase verbosity (LogLevel)
             ~^Z  - suspend ssh
             ~#   - list forwarded connections
             ~&   - background ssh (when waiting for connections to terminate)
             ~?   - this message
             ~~   - send the escape character by typing it twice
            (Note that escapes are only recognized immediately after newline.)

            """
        #expect(EscapeFilter(.init()).helpText == text.replacing("\n", with: "\r\n"))
        var setting = EscapeFilter.Setting()
        setting.isMultiplexed = true
        let shorter = """
            ~?
            Supported escape sequences:
             ~.   - terminate session
             ~B   - send a BREAK to the remote system
             ~R   - request rekey
             ~#   - list forwarded connections
             ~?   - this message
             ~~   - send the escape character by typing it twice
            (Note that escapes are only recognized immediately after newline.)

            """
        #expect(EscapeFilter(setting).helpText == shorter.replacing("\n", with: "\r\n"))
        setting.isMultiplexed = false
        setting.allowsCommandLine = true
        #expect(EscapeFilter(setting).helpText.contains("\r\n ~C   - open a command line\r\n"))
    }

    @Test func `a change of verbosity is answered`() {
        var filter = EscapeFilter(.init())
        #expect(filter.verbosityText(more: true, levelName: "DEBUG") == "~v [LogLevel DEBUG]\r\n")
        filter.setting.logsToStandardError = false
        #expect(
            filter.verbosityText(more: false, levelName: "INFO") == "~V [Logging to syslog]\r\n"
        )
    }

    private func merged(_ actions: [EscapeAction]) -> [EscapeAction] {
        actions.reduce(into: []) { merged, action in
            if case .send(let more) = action, case .send(let bytes)? = merged.last {
                merged[merged.count - 1] = .send(bytes + more)
            } else {
                merged.append(action)
            }
        }
    }
}

extension EscapeAction {
    static func sent(_ text: String) -> EscapeAction { .send(Array(text.utf8)) }
}
