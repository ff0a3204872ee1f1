import EC2
import Faults
import SSHConfig
import Testing

@testable import Client

private let ubuntu = "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5"
private let debian = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3"
private let bare = "SSH-2.0-OpenSSH_8.7"
private let proxy = "SSH-2.0-Go"

/// Facts about an instance without a user of the caller's, changed by the test.
private func facts(
    _ host: String = "ec2-203-0-113-25.eu-west-1.compute.amazonaws.com",
    banner: String? = ubuntu,
    tried: [LoginAttempt] = [],
    _ change: (inout LoginFacts) -> Void = { _ in }
) throws -> LoginFacts {
    var facts = LoginFacts(Options(host: host), localUser: "me")
    facts.table = try UserTable.load(userFile: nil)
    facts.banner = banner
    facts.attempts = tried
    facts.offeredKeys = ["/k"]
    change(&facts)
    return facts
}

private func login(_ user: String) -> LoginAttempt { LoginAttempt(user) }
private let askRoot = LoginAttempt("root", .askForUser)

struct StrategyTests {
    // MARK: Names

    @Test(
        "Names are tried in order of likelihood, three at most",
        arguments: [
            (ubuntu, [login("ubuntu"), askRoot, login("me")]),
            (debian, [login("admin"), askRoot, login("me")]),
            (bare, [login("ec2-user"), askRoot, login("me")]),
            (nil, [login("ec2-user"), askRoot, login("me")]),
            (proxy, [login("me")]),
        ] as [(String?, [LoginAttempt])]
    )
    func names(banner: String?, expected: [LoginAttempt]) throws {
        #expect(Strategy.candidates(try facts(banner: banner)) == expected)
    }

    @Test("Without asking root the table's second name is tried, and the local one last")
    func namesWithoutRoot() throws {
        let facts = try facts(banner: bare) { $0.mayAskRoot = false }
        #expect(Strategy.candidates(facts) == [login("ec2-user"), login("rocky"), login("me")])
    }

    @Test("What worked the last time comes first")
    func remembered() throws {
        let facts = try facts { $0.remembered = RememberedLogin(user: "deploy") }
        #expect(Strategy.candidates(facts) == [login("deploy"), login("ubuntu"), askRoot])
        #expect(Strategy.first(facts) == login("deploy"))
    }

    @Test(
        "EC2Users are the names, and no others",
        arguments: [
            (nil, ["a", "b", "c"]), ("b", ["b", "a", "c"]), ("x", ["a", "b", "c"]),
        ] as [(String?, [String])]
    )
    func configured(remembered: String?, users: [String]) throws {
        let facts = try facts {
            $0.configuredUsers = ["a", "b", "c", "d"]
            $0.remembered = remembered.map { RememberedLogin(user: $0) }
        }
        #expect(Strategy.candidates(facts) == users.map { login($0) })
    }

    @Test(
        "The caller's user is changed by EC2UserFallback yes alone",
        arguments: [
            ("bob", AutoYesNo.auto, [login("bob")]),
            ("bob", .no, [login("bob")]),
            ("bob", .yes, [login("bob"), login("ubuntu"), askRoot]),
            ("root", .yes, [login("root"), login("ubuntu")]),
            (nil, .no, [login("me")]),
        ] as [(String?, AutoYesNo, [LoginAttempt])]
    )
    func given(user: String?, fallback: AutoYesNo, expected: [LoginAttempt]) throws {
        let facts = try facts {
            $0.givenUser = user
            $0.fallback = fallback
        }
        #expect(Strategy.candidates(facts) == expected)
    }

    @Test("A plain host is logged in to as ssh does")
    func plain() throws {
        let facts = try facts("web.example")
        #expect(Strategy.candidates(facts) == [login("me")])
        #expect(Strategy.first(facts) == login("me"))
    }

    // MARK: Steps

    private static let everyOutcome: [LoginOutcome] = [
        .nameNotFound, .noAnswer, .connectionRefused, .closedBeforeBanner, .notSSH, .penalized,
        .hostKeyRefused(.changedKey(host: "h", path: "f", line: 1)), .keyRefused, .tooManyFailures,
        .redirected(user: "x"), .openedWhileAsking, .keyFilesUnusable, .other,
    ]

    @Test("Nothing is ever tried again for a plain host, nor said", arguments: everyOutcome)
    func plainHost(outcome: LoginOutcome) throws {
        let facts = try facts("web.example", tried: [login("me")]) {
            $0.isStarting = true
            $0.keyFiles = ["/k"]
            $0.fallback = .yes
        }
        #expect(Strategy.next(after: outcome, facts: facts) == .stop(.silently))
    }

    @Test("A refused key leads to the next name, and after three to the end")
    func refusedKey() throws {
        let names = [login("ubuntu"), askRoot, login("me")]
        for count in 1...2 {
            let facts = try facts(tried: Array(names.prefix(count)))
            #expect(Strategy.next(after: .keyRefused, facts: facts) == .attempt(names[count]))
        }
        let facts = try facts(tried: names) { $0.offeredKeys = ["/a", "/b", "/a", "/b"] }
        guard case .stop(let stop) = Strategy.next(after: .keyRefused, facts: facts) else {
            Issue.record("a fourth name")
            return
        }
        #expect(stop.tried == "tried as ubuntu, root and me with /a and /b")
        #expect(
            stop.hint
                == .run(
                    "aws ec2 describe-instances --region eu-west-1 "
                        + "--filters Name=ip-address,Values=203.0.113.25 "
                        + "--query 'Reservations[].Instances[].[ImageId,KeyName]' --output text"
                )
        )
    }

    @Test("The name a server tells is the next one")
    func redirected() throws {
        let facts = try facts(tried: [login("ubuntu"), askRoot])
        let step = Strategy.next(after: .redirected(user: "rocky"), facts: facts)
        #expect(step == .attempt(login("rocky")))
    }

    @Test("A name that was refused is not tried again because a server tells it")
    func redirectedInVain() throws {
        let facts = try facts(tried: [login("ubuntu"), askRoot])
        let step = Strategy.next(after: .redirected(user: "ubuntu"), facts: facts)
        #expect(step == .attempt(login("me")))
    }

    @Test(
        "A caller's user that is redirected ends with the command to use",
        arguments: [
            ("ubuntu", "ec2sh -l ubuntu ec2-203-0-113-25.eu-west-1.compute.amazonaws.com")
        ]
    )
    func redirectedGiven(user: String, command: String) throws {
        let facts = try facts(tried: [login("root")]) { $0.givenUser = "root" }
        let step = Strategy.next(after: .redirected(user: user), facts: facts)
        #expect(step == .stop(Strategy.Stop(hint: .run(command))))
    }

    @Test("Three names are the most, whoever tells the fourth")
    func redirectedLate() throws {
        let facts = try facts(tried: [login("ubuntu"), askRoot, login("me")])
        guard case .stop(let stop) = Strategy.next(after: .redirected(user: "x"), facts: facts)
        else {
            Issue.record("a fourth name")
            return
        }
        #expect(stop.hint?.text.hasPrefix("run: ec2sh -l x ") == true)
    }

    @Test("Where root lets us in, root it is")
    func rootOpens() throws {
        let facts = try facts(tried: [login("ec2-user"), askRoot])
        let step = Strategy.next(after: .openedWhileAsking, facts: facts)
        #expect(step == .attempt(login("root")))
    }

    @Test("The caller's user refused: the likely name is offered as a command")
    func givenRefused() throws {
        let facts = try facts(tried: [login("bob")]) { $0.givenUser = "bob" }
        let step = Strategy.next(after: .keyRefused, facts: facts)
        #expect(
            step
                == .stop(
                    Strategy.Stop(
                        tried: "tried as bob with /k",
                        hint: .run(
                            "ec2sh -l ubuntu ec2-203-0-113-25.eu-west-1.compute.amazonaws.com"
                        )
                    )
                )
        )
    }

    @Test("Without any key the hint is to name one")
    func noKey() throws {
        let facts = try facts(tried: [login("bob")]) {
            $0.givenUser = "bob"
            $0.offeredKeys = []
        }
        let step = Strategy.next(after: .keyRefused, facts: facts)
        #expect(
            step
                == .stop(
                    Strategy.Stop(
                        tried: "tried as bob with no key",
                        hint: .advice("name the instance's private key with -i")
                    )
                )
        )
    }

    @Test(
        "After too many tries one key is offered alone, the one not seen yet first",
        arguments: [
            (["/a", "/b"], ["/a"], nil, "/b"),
            (["/a"], ["/a"], nil, "/a"),
            (["/a"], [], "/r", "/r"),
        ] as [([String], [String], String?, String)]
    )
    func tooMany(files: [String], offered: [String], remembered: String?, path: String) throws {
        let facts = try facts(tried: [login("ubuntu")]) {
            $0.keyFiles = files
            $0.offeredKeys = offered
            $0.remembered = remembered.map { RememberedLogin(user: "ubuntu", keyPath: $0) }
        }
        let step = Strategy.next(after: .tooManyFailures, facts: facts)
        #expect(step == .attempt(LoginAttempt("ubuntu", keys: .only(path: path))))
    }

    @Test("The one key goes along to the next name")
    func oneKeyOn() throws {
        let one = LoginAttempt.Keys.only(path: "/a")
        let facts = try facts(tried: [login("ubuntu"), LoginAttempt("ubuntu", keys: one)])
        let step = Strategy.next(after: .keyRefused, facts: facts)
        #expect(step == .attempt(LoginAttempt("root", .askForUser, keys: one)))
        #expect(Strategy.next(after: .tooManyFailures, facts: facts) == step)
    }

    @Test("Too many tries with no file to name go on to the next name")
    func tooManyWithoutFile() throws {
        let facts = try facts(tried: [login("ubuntu")])
        #expect(Strategy.next(after: .tooManyFailures, facts: facts) == .attempt(askRoot))
    }

    @Test(
        "A host key in doubt ends everything",
        arguments: [
            HostKeyRefusal.changedKey(host: "h", path: "f", line: 1), .revokedKey(host: "h"),
            .declined(host: "h"), .unknownKey(host: "h"), .forwardingDisabled,
        ]
    )
    func hostKey(refusal: HostKeyRefusal) throws {
        let facts = try facts(tried: [login("ubuntu")]) {
            $0.isStarting = true
            $0.fallback = .yes
        }
        guard case .stop = Strategy.next(after: .hostKeyRefused(refusal), facts: facts) else {
            Issue.record("it went on")
            return
        }
    }

    @Test(
        "A server that is not up is waited for while the instance is known to start",
        arguments: [
            (true, 0, 1), (true, 1, 2), (true, 2, 4), (true, 3, 8), (true, 29, 8), (true, 30, nil),
            (false, 0, nil), (nil, 0, nil),
        ] as [(Bool?, Int, Int?)]
    )
    func starting(isStarting: Bool?, retries: Int, seconds: Int?) throws {
        let facts = try facts {
            $0.isStarting = isStarting
            $0.retries = retries
        }
        for outcome in [LoginOutcome.connectionRefused, .closedBeforeBanner, .notSSH] {
            let step = Strategy.next(after: outcome, facts: facts)
            if let seconds {
                #expect(step == .again(after: .seconds(seconds)))
            } else {
                guard case .stop(let stop) = step else {
                    Issue.record("it went on")
                    return
                }
                #expect(stop.hint != nil)
            }
        }
    }

    @Test(
        "A penalty is waited for once, if our own names brought it about",
        arguments: [
            (1, 0, false), (2, 0, true), (2, 1, false),
        ]
    )
    func penalty(attempts: Int, retries: Int, isWaitedFor: Bool) throws {
        let facts = try facts(tried: Array([login("ubuntu"), askRoot].prefix(attempts))) {
            $0.retries = retries
        }
        let step = Strategy.next(after: .penalized, facts: facts)
        #expect((step == .again(after: .seconds(16))) == isWaitedFor)
    }

    // MARK: Hints

    @Test(
        "Hints are commands that hold what the name tells",
        arguments: [
            (
                "i-0123456789abcdef0", LoginOutcome.nameNotFound,
                "run: aws ec2 describe-instances --instance-ids i-0123456789abcdef0 --query "
                    + "'Reservations[].Instances[].[PublicDnsName,PublicIpAddress,PrivateIpAddress,"
                    + "State.Name]' --output text"
            ),
            (
                "ec2-1-2-3-4.compute-1.amazonaws.com", .noAnswer,
                "run: aws ec2 describe-instances --region us-east-1 --filters "
                    + "Name=ip-address,Values=1.2.3.4 --query 'Reservations[].Instances[]."
                    + "[State.Name,PublicIpAddress,SubnetId,SecurityGroups]' --output text"
            ),
            (
                "ip-10-0-0-7.ec2.internal", .noAnswer,
                "this address is reached from inside the instance's own network alone"
            ),
            (
                "i-0123456789abcdef0.ec2.internal",
                .hostKeyRefused(.changedKey(host: "h", path: "f", line: 1)),
                "run: aws ec2 get-console-output --region us-east-1 --instance-id "
                    + "i-0123456789abcdef0 --output text | grep -A 8 'BEGIN SSH HOST KEY'"
            ),
        ]
    )
    func hints(host: String, outcome: LoginOutcome, text: String) throws {
        let facts = try facts(host)
        guard case .stop(let stop) = Strategy.next(after: outcome, facts: facts) else {
            Issue.record("it went on")
            return
        }
        #expect(stop.hint?.text == text)
    }

    @Test(
        "Words of a shell command are quoted where they must be",
        arguments: [
            ("a-b.c", "a-b.c"), ("", "''"), ("a b", "'a b'"), ("$(x)", "'$(x)'"),
            ("it's", "'it'\\''s'"),
            ("~/x", "'~/x'"),
        ]
    )
    func quoted(text: String, expected: String) {
        #expect(StrategyHints.quoted(text) == expected)
    }

    // MARK: What is an instance

    @Test(
        "A target is an instance by its options, else by its name",
        arguments: [
            ("web.example", nil, AutoYesNo.auto, nil, false),
            ("web.example", nil, .yes, nil, true),
            ("web.example", nil, .auto, "i-0123456789abcdef0", true),
            ("web", "ec2-1-2-3-4.compute-1.amazonaws.com", .auto, nil, true),
            ("i-0123456789abcdef0", "10.0.0.1", .auto, nil, true),
            ("i-0123456789abcdef0", nil, .no, "i-0123456789abcdef0", false),
        ] as [(String, String?, AutoYesNo, String?, Bool)]
    )
    func instance(
        host: String,
        hostname: String?,
        word: AutoYesNo,
        id: String?,
        isInstance: Bool
    ) {
        var options = Options(host: host, hostname: hostname)
        options.ec2Host = word
        options.ec2Instance = id
        #expect(LoginFacts.isInstance(options) == isInstance)
    }
}
