import EC2
import Faults
import SSHConfig
import Testing

@testable import Client

/// What AWS knows of an instance decides before any guess.
struct StrategyCloudTests {
    private func facts(
        tried: [LoginAttempt] = [],
        _ change: (inout LoginFacts) -> Void = { _ in }
    ) throws -> LoginFacts {
        var facts = LoginFacts(Options(host: "i-0123456789abcdef0"), localUser: "me")
        facts.table = try UserTable.load(userFile: nil)
        facts.banner = "SSH-2.0-OpenSSH_8.7"
        facts.attempts = tried
        facts.offeredKeys = ["/k"]
        facts.canPush = true
        change(&facts)
        return facts
    }

    private func after(
        _ outcome: LoginOutcome,
        _ tried: [LoginAttempt],
        _ change: (inout LoginFacts) -> Void = { _ in }
    ) throws -> Strategy.Step {
        Strategy.next(after: outcome, facts: try facts(tried: tried, change))
    }

    @Test("the image's user comes before what the banner lets one guess")
    func imageUser() throws {
        let facts = try facts { $0.imageUsers = ["rocky"] }
        #expect(Strategy.first(facts) == LoginAttempt("rocky"))
        let remembered = try self.facts {
            $0.imageUsers = ["rocky"]
            $0.remembered = RememberedLogin(user: "deploy")
        }
        #expect(Strategy.first(remembered) == LoginAttempt("deploy"))
    }

    @Test("a refused key is followed by a pushed one as soon as the user is certain")
    func pushesForCertainUser() throws {
        let pushed = { (user: String) in
            Strategy.Step.attempt(LoginAttempt(user, keys: .pushed))
        }
        let given = try after(.keyRefused, [LoginAttempt("bob")]) { $0.givenUser = "bob" }
        #expect(given == pushed("bob"))
        let image = try after(.keyRefused, [LoginAttempt("rocky")]) { $0.imageUsers = ["rocky"] }
        #expect(image == pushed("rocky"))
        let remembered = try after(.keyRefused, [LoginAttempt("deploy")]) {
            $0.remembered = RememberedLogin(user: "deploy")
        }
        #expect(remembered == pushed("deploy"))
    }

    @Test("for a guessed user other names come first, then a key is pushed for the likeliest")
    func pushesForGuessLast() throws {
        let first = try after(.keyRefused, [LoginAttempt("ec2-user")])
        #expect(first == .attempt(LoginAttempt("root", .askForUser)))
        let all = [LoginAttempt("ec2-user"), LoginAttempt("root"), LoginAttempt("me")]
        let last = try after(.keyRefused, all)
        #expect(last == .attempt(LoginAttempt("ec2-user", keys: .pushed)))
    }

    @Test("a key is pushed once for a user, never with EC2PushKey no, first with yes")
    func pushKeyWord() throws {
        let tried = [LoginAttempt("bob"), LoginAttempt("bob", keys: .pushed)]
        let again = try after(.keyRefused, tried) { $0.givenUser = "bob" }
        guard case .stop = again else {
            Issue.record("pushed again: \(again)")
            return
        }
        let never = try after(.keyRefused, [LoginAttempt("bob")]) {
            $0.givenUser = "bob"
            $0.pushKey = .no
        }
        guard case .stop = never else {
            Issue.record("pushed although it may not be: \(never)")
            return
        }
        let inVain = try after(.keyRefused, [LoginAttempt("bob")]) {
            $0.givenUser = "bob"
            $0.takesKeys = false
        }
        guard case .stop = inVain else {
            Issue.record("pushed although the server takes no keys: \(inVain)")
            return
        }
        let always = try facts {
            $0.givenUser = "bob"
            $0.pushKey = .yes
        }
        #expect(Strategy.first(always) == LoginAttempt("bob", keys: .pushed))
        var nowhere = always
        nowhere.canPush = false
        #expect(Strategy.first(nowhere) == LoginAttempt("bob"))
    }

    @Test("why no key could be pushed is told beside what was tried")
    func pushFailure() throws {
        let tried = [LoginAttempt("bob"), LoginAttempt("bob", keys: .pushed)]
        let step = try after(.pushFailed, tried) {
            $0.givenUser = "bob"
            $0.pushFailure = "not allowed"
        }
        guard case .stop(let stop) = step else {
            Issue.record("goes on: \(step)")
            return
        }
        #expect(stop.tried == "tried as bob with /k; no key could be pushed: not allowed")
    }

    @Test("too many tries are followed by the pair's key alone, where it was found")
    func pairAlone() throws {
        let found = { (facts: inout LoginFacts) in
            facts.keyPair = KeyPairFacts(name: "web")
            facts.keyPair?.place = "~/Downloads/web.pem"
            facts.keyFiles = ["/named"]
        }
        let alone = LoginAttempt("rocky", keys: .pair)
        #expect(try after(.tooManyFailures, [LoginAttempt("rocky")], found) == .attempt(alone))
        // Once; it goes along to the next name, and a push comes after it.
        let next = try after(.tooManyFailures, [LoginAttempt("rocky"), alone], found)
        #expect(next == .attempt(LoginAttempt("ec2-user", keys: .pair)))
        let push = try after(.keyRefused, [LoginAttempt("rocky"), alone]) {
            found(&$0)
            $0.givenUser = "rocky"
        }
        #expect(push == .attempt(LoginAttempt("rocky", keys: .pushed)))
        let lost = try after(.tooManyFailures, [LoginAttempt("rocky")]) {
            found(&$0)
            $0.keyPair?.place = nil
        }
        #expect(lost == .attempt(LoginAttempt("rocky", keys: .only(path: "/named"))))
    }

    @Test(
        "the last line says what is wrong with the key, as far as it is known",
        arguments: [
            (
                "web", nil, ["~/.ssh", "~/Downloads"], [],
                "the instance's key pair is 'web', whose private key is not in ~/.ssh or "
                    + "~/Downloads; name it with -i"
            ),
            (
                "web", nil, ["~/.ssh", "~/Downloads", "the agent"], ["~/.ssh/web.pem"],
                "the instance's key pair is 'web', whose private key is not in ~/.ssh, "
                    + "~/Downloads or the agent; ~/.ssh/web.pem has another key; name it with -i"
            ),
            (
                "web", nil, ["~/.ssh"], ["~/a", "~/b"],
                "the instance's key pair is 'web', whose private key is not in ~/.ssh; ~/a and ~/b "
                    + "have another key; name it with -i"
            ),
            (
                "a\u{1b}b", nil, ["~/.ssh"], [],
                "the instance's key pair is 'a\\033b', whose private key is not in ~/.ssh; name it "
                    + "with -i"
            ),
            (
                "web", nil, [], [],
                "the instance's key pair is 'web', and IdentitiesOnly allows no search for its "
                    + "private key; name it with -i"
            ),
            (
                "web", "~/.ssh/web.pem", ["~/.ssh"], [],
                "~/.ssh/web.pem has the key of the instance's key pair 'web'; on the instance its "
                    + "authorized_keys has been changed, or the user is another one"
            ),
        ] as [(String, String?, [String], [String], String)]
    )
    func lastLine(
        name: String,
        place: String?,
        searched: [String],
        impostors: [String],
        text: String
    ) throws {
        for outcome in [LoginOutcome.keyRefused, .pushFailed] {
            let tried = [LoginAttempt("rocky"), LoginAttempt("rocky", keys: .pushed)]
            let step = try after(outcome, tried) {
                $0.givenUser = "rocky"
                $0.banner = "SSH-2.0-Go"
                $0.keyPair = KeyPairFacts(name: name)
                $0.keyPair?.place = place
                $0.keyPair?.searched = searched
                $0.keyPair?.impostors = impostors
            }
            guard case .stop(let stop) = step else {
                Issue.record("goes on: \(step)")
                return
            }
            #expect(stop.hint == .advice(text))
        }
    }

    @Test("an instance without a key pair is said to be one, where there was no key to offer")
    func noPair() throws {
        for (offered, isSaid) in [([], true), (["/k"], false)] as [([String], Bool)] {
            let step = try after(.keyRefused, [LoginAttempt("bob")]) {
                $0.givenUser = "bob"
                $0.canPush = false
                $0.offeredKeys = offered
                $0.keyPair = KeyPairFacts(name: nil)
            }
            guard case .stop(let stop) = step else {
                Issue.record("goes on: \(step)")
                return
            }
            #expect(stop.hint?.text.contains("without a key pair") == isSaid)
        }
    }

    @Test("on a machine of one's own the own name comes first, and nothing is asked of EC2")
    func managed() throws {
        let facts = try facts {
            $0.isManaged = true
            $0.name = EC2Name("mi-0123456789abcdef0")
        }
        #expect(
            Strategy.candidates(facts).prefix(2) == [LoginAttempt("me"), LoginAttempt("ec2-user")]
        )
        let step = try after(.noAnswer, []) {
            $0.isManaged = true
            $0.name = EC2Name("mi-0123456789abcdef0")
        }
        guard case .stop(let stop) = step else {
            Issue.record("goes on: \(step)")
            return
        }
        #expect(stop.hint?.text.contains("aws ssm describe-instance-information") == true)
    }

    @Test("an instance that is pending is waited for, one that is stopped ends the run")
    func states() throws {
        #expect(try after(.notRunning(state: "pending"), []) == .again(after: .seconds(3)))
        for state in ["stopped", "stopping", "terminated", "something new"] {
            guard case .stop = try after(.notRunning(state: state), []) else {
                Issue.record("\(state) does not end the run")
                return
            }
        }
        let late = try after(.notRunning(state: "pending"), []) { $0.retries = 1000 }
        guard case .stop = late else {
            Issue.record("waits for ever")
            return
        }
    }

    @Test("how the other ways ended is told, and what they say mends it")
    func otherWays() throws {
        let step = try after(.noAnswer, []) {
            $0.otherWays = [
                "through an endpoint (none there)", "through Systems Manager (no agent)",
            ]
            $0.otherHint = .run("mend it")
        }
        guard case .stop(let stop) = step else {
            Issue.record("goes on: \(step)")
            return
        }
        #expect(
            stop.tried
                == "also tried through an endpoint (none there), through Systems Manager (no agent)"
        )
        #expect(stop.hint == .run("mend it"))
    }
}
