import EC2
import Faults
import SSHConfig
import Testing
import Ways

@testable import Client

/// When sshd is done without: a shell of Systems Manager's, ports by it, and ways that are tried
/// again.
struct StrategyAgentTests {
    private static let id = "i-0123456789abcdef0"

    /// An instance that AWS knows, whose agent has said that nobody listens.
    private func facts(_ change: (inout LoginFacts) -> Void = { _ in }) -> LoginFacts {
        var facts = LoginFacts(Options(host: Self.id), localUser: "me")
        facts.canPush = true
        facts.agent.instance = Self.id
        facts.agent.wish = .shell
        facts.lostWays = [.direct: .refused, .endpoint: .notOffered, .ssm: .refused]
        change(&facts)
        return facts
    }

    private func stop(_ step: Strategy.Step) -> Strategy.Stop? {
        if case .stop(let stop) = step { stop } else { nil }
    }

    @Test(
        "A person at a terminal gets a shell when nobody answers as sshd, a script never does",
        arguments: [
            (AgentFacts.Wish.shell, AutoYesNo.auto, true), (.shell, .yes, true),
            (.shell, .no, false), (.command, .auto, false), (.command, .yes, true),
            (.command, .no, false), (.other, .auto, false), (.other, .yes, false),
            (.ports, .auto, false), (.ports, .yes, false),
        ]
    )
    func wishes(wish: AgentFacts.Wish, fallback: AutoYesNo, isShell: Bool) {
        let facts = facts {
            $0.agent.wish = wish
            $0.agent.fallback = fallback
        }
        for outcome in [
            LoginOutcome.connectionRefused, .noAnswer, .closedBeforeBanner, .notSSH, .nameNotFound,
        ] {
            let step = Strategy.next(after: outcome, facts: facts)
            #expect((step == .shell) == isShell, "\(outcome)")
            if isShell { continue }
            // Never a dead end.
            #expect(stop(step)?.hint != nil, "\(outcome)")
        }
    }

    @Test(
        "What sshd itself has said is never answered with a shell",
        arguments: [
            LoginOutcome.keyRefused, .tooManyFailures, .penalized, .pushFailed, .keyFilesUnusable,
            .hostKeyRefused(.changedKey(host: "h", path: "f", line: 1)), .redirected(user: "x"),
            .notRunning(state: "stopped"), .other,
        ]
    )
    func answered(outcome: LoginOutcome) {
        #expect(Strategy.next(after: outcome, facts: facts()) != .shell)
        let later = facts { $0.attempts = [LoginAttempt("me")] }
        #expect(Strategy.next(after: .connectionRefused, facts: later) != .shell)
    }

    @Test(
        "There is no shell where there is no agent, or where it may not be asked",
        arguments: [WayError.Outcome.notOffered, .timedOut, .notRunning(state: "stopped")]
    )
    func noAgent(lost: WayError.Outcome) {
        let absent = facts { $0.lostWays[.ssm] = lost }
        #expect(stop(Strategy.next(after: .connectionRefused, facts: absent)) != nil)
        let forbidden = facts { $0.ways = [.direct, .endpoint] }
        #expect(stop(Strategy.next(after: .connectionRefused, facts: forbidden)) != nil)
        let unknown = facts { $0.agent.instance = nil }
        #expect(stop(Strategy.next(after: .nameNotFound, facts: unknown)) != nil)
    }

    @Test(
        "An agent that refused the way for another reason may still give a shell",
        arguments: [WayError.Outcome.denied, .serviceFailed, .closed, nil] as [WayError.Outcome?]
    )
    func perhaps(lost: WayError.Outcome?) {
        let facts = facts { $0.lostWays[.ssm] = lost }
        #expect(Strategy.next(after: .noAnswer, facts: facts) == .shell)
    }

    @Test("An instance that has just been started is waited for before that")
    func starting() {
        let young = facts { $0.isStarting = true }
        let step = Strategy.next(after: .connectionRefused, facts: young)
        #expect(step == .again(after: .seconds(1)))
        let old = facts {
            $0.isStarting = true
            $0.retries = 1000
        }
        #expect(Strategy.next(after: .connectionRefused, facts: old) == .shell)
    }

    @Test("A plain host gets nothing of it")
    func plain() {
        var plain = LoginFacts(Options(host: "web.example"), localUser: "me")
        plain.agent = facts().agent
        plain.lostWays = facts().lostWays
        #expect(Strategy.next(after: .connectionRefused, facts: plain) == .stop(.silently))
        plain.agent.wish = .ports
        plain.ways = [.ssm]
        #expect(!Strategy.needsNoServer(plain))
    }

    @Test("What is refused is told how it could be had")
    func hints() {
        let rows: [(AgentFacts.Wish, AutoYesNo, String)] = [
            (.shell, .no, "run: ec2sh -o EC2ShellFallback=auto \(Self.id)"),
            (.command, .auto, "-o EC2ShellFallback=yes"), (.other, .yes, "aws ssm send-command"),
            (.other, .auto, "'ec2sh \(Self.id)' in a terminal"), (.ports, .auto, "-o EC2Ways=ssm"),
        ]
        for (wish, fallback, words) in rows {
            let facts = facts {
                $0.agent.wish = wish
                $0.agent.fallback = fallback
            }
            let hint = stop(Strategy.next(after: .connectionRefused, facts: facts))?.hint
            #expect(hint?.text.contains(words) == true, "\(wish) \(fallback): \(hint?.text ?? "")")
        }
    }

    // MARK: - Ports

    @Test(
        "sshd is not asked where ports are wanted and Systems Manager is the only way",
        arguments: [
            (AgentFacts.Wish.ports, [WayName.ssm], true), (.ports, [.direct, .ssm], false),
            (.ports, [.ssm, .direct], false), (.other, [.ssm], false), (.shell, [.ssm], false),
        ]
    )
    func ports(wish: AgentFacts.Wish, ways: [WayName], isAlone: Bool) {
        let facts = facts {
            $0.agent.wish = wish
            $0.ways = ways
        }
        #expect(Strategy.needsNoServer(facts) == isAlone)
    }

    // MARK: - Ways

    @Test("All ways are tried at first, and again where the address does not answer")
    func ways() {
        let all: [WayName] = [.direct, .endpoint, .ssm]
        #expect(Strategy.ways(facts()) == all)
        for lost in [WayError.Outcome.timedOut, .unreachable, .closed] {
            let again = facts {
                $0.retries = 1
                $0.lostWays[.direct] = lost
            }
            #expect(Strategy.ways(again) == all)
        }
    }

    @Test("An address that refuses is reached: no endpoint is tried again")
    func refusedAgain() {
        let again = facts { $0.retries = 1 }
        #expect(Strategy.ways(again) == [.direct, .ssm])
        let order = facts {
            $0.retries = 3
            $0.ways = [.ssm, .endpoint, .direct]
        }
        #expect(Strategy.ways(order) == [.ssm, .direct])
    }
}
