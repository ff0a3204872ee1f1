import Foundation
import Synchronization
import TestSupport

/// A client whose sessions are resumed, and a link to an instance that can be broken.
struct BreakableLink: Sendable {
    let place: Workplace
    let link: FaultLink

    /// The account on the instance.
    static let account = "alice"

    init(_ plan: FaultLink.Plan = .none) async throws {
        place = try Workplace()
        link = try await FaultLink(to: try place.lab.instance("plain").plainName, plan: plan)
    }

    /// The words of a run, before the host's command.
    func words(_ options: [String] = [], resume: String = "yes") -> [String] {
        [place.ssh, "-o", "Resume=\(resume)", "-p", "\(link.port)", "-o", "HostKeyAlias=plain"]
            + options + ["\(BreakableLink.account)@127.0.0.1"]
    }

    /// Runs a command on the instance.
    func run(
        _ command: String,
        options: [String] = [],
        resume: String = "yes",
        input: ProgramRun.Input = .none,
        limit: Duration = .seconds(120)
    ) async throws -> ProgramRun {
        try await place.run(words(options, resume: resume) + [command], input: input, limit: limit)
    }
}

/// What is said of the link besides, in scripts: that it was lost, and that there is another.
func linkReports(_ run: ProgramRun) -> (lost: Int, made: Int) {
    (
        run.errorLines.count { $0.contains("is lost; connecting again") },
        run.errorLines.count { $0.hasPrefix("ec2sh: connected to ") }
    )
}

/// Waits on a thread of the test's own for something asynchronous.
func onThread(_ work: @escaping @Sendable () async throws -> Void) throws {
    let failure = Mutex<(any Error)?>(nil)
    let isDone = DispatchSemaphore(value: 0)
    Task {
        do { try await work() } catch { failure.withLock { $0 = error } }
        isDone.signal()
    }
    isDone.wait()
    if let failure = failure.withLock({ $0 }) { throw failure }
}
