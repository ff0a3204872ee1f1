import Posix
import Testing

@testable import Terminal

struct StatusLineTests {
    private final class Screen {
        var text = ""
    }

    private let screen = Screen()
    private let start = readClock()

    private func line(_ style: StatusLine.Style) -> StatusLine {
        StatusLine(style) { [screen] in screen.text += $0 }
    }

    @Test func `what is over within a second is never shown`() {
        let line = line(.terminal(columns: 80))
        line.show("trying", now: start)
        #expect(line.deadline == start + .seconds(1))
        line.update(start + .milliseconds(999))
        line.clear()
        #expect(screen.text == "")
        #expect(line.deadline == nil)
    }

    @Test func `what takes longer is shown with its seconds and erased`() {
        let line = line(.terminal(columns: 80))
        line.show("trying", now: start)
        line.update(start + .seconds(1))
        #expect(screen.text == "\r\u{1b}[Kec2sh: trying (1 s)")
        #expect(line.deadline == start + .seconds(2))
        screen.text = ""
        line.update(start + .milliseconds(3500))
        #expect(screen.text == "\r\u{1b}[Kec2sh: trying (3 s)")
        #expect(line.deadline == start + .seconds(4))
        screen.text = ""
        line.clear()
        line.clear()
        #expect(screen.text == "\r\u{1b}[K")
    }

    @Test func `a new state begins anew and the same one goes on`() {
        let line = line(.terminal(columns: 80))
        line.show("one", now: start)
        line.show("one", now: start + .milliseconds(900))
        #expect(line.deadline == start + .seconds(1))
        line.show("two", now: start + .milliseconds(900))
        #expect(line.deadline == start + .milliseconds(1900))
    }

    @Test func `a line is never longer than the window`() {
        let line = line(.terminal(columns: 12))
        line.show("something long", now: start)
        line.update(start + .seconds(1))
        #expect(screen.text == "\r\u{1b}[Kec2sh: some")
    }

    @Test func `scripts get what is announced and quiet runs get nothing`() {
        let script = line(.lines)
        script.show("one", now: start)
        script.show("two", now: start, isAnnounced: true)
        script.update(start + .seconds(10))
        script.clear()
        #expect(screen.text == "ec2sh: two\n")
        let quiet = line(.silent)
        quiet.show("three", now: start, isAnnounced: true)
        quiet.update(start + .seconds(10))
        #expect(screen.text == "ec2sh: two\n")
    }
}
