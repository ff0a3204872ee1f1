import Foundation
import TestSupport
import Testing

/// Programs that hold a terminal with us in it: tmux and expect.
@Suite(.enabled(if: Lab.isHere, "\(Lab.skipReason)"))
struct InteropTerminalTests {
    let place: Workplace
    let host = "alice@plain.lab"

    init() throws { place = try Workplace() }

    @Test(
        "in a pane of tmux's: its size and changes of it, full screens, detached and attached",
        .enabled(if: Tool.tmux.isHere, "no tmux")
    )
    func tmux() async throws {
        let run = try await place.shell(
            """
            tmux() { command tmux -f /dev/null -S "$PWD/tmux" "$@"; }
            shows() {
                for i in $(seq 200); do
                    tmux capture-pane -p -t s | grep -q -e "$1" && return 0
                    sleep 0.05
                done
                tmux capture-pane -p -t s; tmux kill-server; exit 1
            }
            tmux new-session -d -s s -x 100 -y 30 "exec $SSH \(host)"
            trap 'tmux kill-server 2>/dev/null || true' EXIT
            shows '\\$ *$'
            tmux send-keys -t s 'stty size; echo $TERM' Enter
            shows '^30 100$'; shows '^tmux\\|^screen'
            tmux resize-window -t s -x 120 -y 40
            tmux send-keys -t s 'clear; stty size' Enter; shows '^40 120$'
            tmux send-keys -t s 'printf "a\\nb\\nc\\n" | less' Enter; shows '(END)'
            tmux send-keys -t s q 'echo back' Enter; shows '^back$'
            tmux list-sessions -F '#{session_attached}'
            tmux send-keys -t s 'exit' Enter
            for i in $(seq 200); do tmux has-session -t s 2>/dev/null || break; sleep 0.05; done
            tmux has-session -t s 2>/dev/null || echo gone
            """,
            environment: ["TERM": "xterm"]
        )
        #expect(run.outputText == "0\ngone\n", "\(run.errorText)")
    }

    @Test(
        "detached from a terminal that is closed, the shell in tmux's pane goes on",
        .enabled(if: Tool.tmux.isHere, "no tmux")
    )
    func detach() async throws {
        // Keys that come at once are a paste to tmux, unless told otherwise.
        let settings = try place.user.write("settings", "set -g assume-paste-time 0\n")
        let words = ["/usr/bin/tmux", "-f", settings, "-S", place.user.path("tmux")]
        let command = "exec \(place.ssh) \(host)"
        try await place.atTerminal(words + ["new-session", "-s", "s", command]) { terminal in
            try terminal.wait(for: "$ ")
            terminal.type("echo kept $((40 + 2)); cd /usr\r")
            try terminal.wait(for: "kept 42")
            terminal.type("\u{2}d")
            try terminal.wait(for: "[detached (from session s)]")
            try terminal.waitForEnd()
        }
        let end = try await place.atTerminal(words + ["attach", "-t", "s"]) { terminal in
            try terminal.wait(for: "kept 42")
            terminal.type("pwd; exit\r")
            try terminal.wait(for: "/usr")
            try terminal.wait(for: "[exited]")
            return try terminal.waitForEnd()
        }
        #expect(end == .exited(0))
    }

    @Test(
        "expect logs in with a password and talks to the shell",
        .enabled(if: Tool.expect.isHere, "no expect")
    )
    func expectScript() async throws {
        try place.user.write(".ssh/config", "PreferredAuthentications password\n")
        let script = try place.user.write(
            "script",
            """
            set timeout 20
            proc missing {} { puts "MISSING"; exit 1 }
            spawn $env(SSH) \(host)
            expect timeout missing "(yes/no/*)? "; send "yes\\r"
            expect timeout missing "assword: "; send "correct horse\\r"
            expect timeout missing -re {\\$ $}; send "echo =[expr 6*7]=\\r"
            expect timeout missing -re {\\n=42=}; send "exit 5\\r"
            expect timeout missing eof
            exit [lindex [wait] 3]
            """
        )
        let run = try await place.shell("expect \(script)")
        #expect(run.status == 5, "\(run.outputText)")
        #expect(!run.outputText.contains("horse"))
    }
}
