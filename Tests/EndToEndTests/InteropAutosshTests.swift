import Foundation
import TestSupport
import Testing

/// autossh, which acts on our exit status.
@Suite(
    .enabled(if: Lab.isHere, "\(Lab.skipReason)"),
    .enabled(if: Tool.autossh.isHere, "no autossh")
)
struct InteropAutosshTests {
    let place: Workplace

    init() throws { place = try Workplace() }

    @Test("stops when the command there has ended well, and gives up when it fails at once")
    func stops() async throws {
        let well = try await autossh("autossh -M 0 alice@plain.lab 'echo ran'")
        #expect(well.outputText == "ran\n")
        #expect(well.status == 0)
        let failed = try await autossh(
            "autossh -M 0 alice@plain.lab 'echo ran; exit 1'",
            gate: "30"
        )
        #expect(failed.outputText == "ran\n")
        #expect(failed.status == 1)
    }

    @Test("starts anew when the connection breaks")
    func restarts() async throws {
        let mark = place.unique("autossh")
        let link = try await FaultLink(to: "plain.lab")
        let script = "echo up >>\(mark); test $(wc -l <\(mark)) -ge 2 || sleep 60"
        let run = try await place.begin(
            variables() + ["autossh", "-M", "0", "-p", "\(link.port)", "alice@127.0.0.1", script]
        )
        let deadline = ContinuousClock.now + .seconds(20)
        while try place.remoteContents(mark) == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        try await link.breakOff(.rst)
        #expect(try await run.value.status == 0)
        #expect(try place.remoteContents(mark) == Data("up\nup\n".utf8))
    }

    @Test("finds a dead connection by its own traffic through -L and -R, and starts anew")
    func watches() async throws {
        let mark = place.unique("autossh-watch")
        let port = place.port
        let link = try await FaultLink(to: "plain.lab")
        let script = "echo up >>\(mark); test $(wc -l <\(mark)) -ge 2 || sleep 60"
        let run = try await place.begin(
            variables() + [
                "AUTOSSH_POLL=2", "AUTOSSH_FIRST_POLL=2", "autossh", "-M", "\(port)", "-p",
                "\(link.port)", "alice@127.0.0.1", script,
            ]
        )
        let deadline = ContinuousClock.now + .seconds(20)
        while try place.remoteContents(mark) == nil, ContinuousClock.now < deadline {
            try await Task.sleep(for: .milliseconds(20))
        }
        // Long enough for its traffic to have gone round.
        try await Task.sleep(for: .seconds(3))
        #expect(try place.remoteContents(mark) == Data("up\n".utf8))
        try await link.breakOff(.blackhole)
        #expect(try await run.value.status == 0)
        #expect(try place.remoteContents(mark) == Data("up\nup\n".utf8))
    }

    @Test("ends us when it is ended")
    func ends() async throws {
        let run = try await place.shell(
            """
            mkfifo in; sleep 60 >in & holder=$!
            AUTOSSH_PATH="$SSH" AUTOSSH_GATETIME=0 autossh -M 0 alice@plain.lab 'echo up; cat' \
                >out 2>err <in & pid=$!
            for i in $(seq 200); do grep -q up out && break; sleep 0.05; done
            kill $pid; wait $pid || true; kill $holder
            for i in $(seq 100); do pgrep -u $(id -u) ec2sh >/dev/null || break; sleep 0.05; done
            echo left: $(pgrep -u $(id -u) ec2sh | wc -l)
            """
        )
        #expect(run.outputText == "left: 0\n", "\(run.errorText)")
    }

    private func autossh(_ command: String, gate: String = "0") async throws -> ProgramRun {
        try await place.run(
            variables(gate: gate) + ["/bin/sh", "-c", command],
            limit: .seconds(40)
        )
    }

    private func variables(gate: String = "0") -> [String] {
        ["AUTOSSH_PATH=\(place.ssh)", "AUTOSSH_GATETIME=\(gate)"]
    }
}
