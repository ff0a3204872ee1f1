internal import EC2
internal import Faults
internal import SSHConfig
internal import Ways

/// What the user can do about a login that failed, for instances alone.
enum StrategyHints {
    static func hint(
        after outcome: LoginOutcome,
        _ facts: LoginFacts,
        triedUsers: [String]
    ) -> Hint? {
        if let hint = withoutServer(outcome, facts) { return hint }
        return serverHint(after: outcome, facts, triedUsers: triedUsers)
    }

    private static func serverHint(
        after outcome: LoginOutcome,
        _ facts: LoginFacts,
        triedUsers: [String]
    ) -> Hint? {
        switch outcome {
        case .nameNotFound: facts.otherHint ?? nameNotFound(facts)
        case .noAnswer: facts.otherHint ?? noAnswer(facts)
        case .connectionRefused, .closedBeforeBanner, .notSSH: notReady(outcome, facts)
        case .penalized:
            .advice(
                "the server refuses this address for a while after failed logins; wait a minute"
            )
        case .hostKeyRefused(.changedKey): changedKey(facts)
        case .redirected(let user): .run("ec2sh -l \(quoted(user)) \(quoted(facts.host))")
        case .keyRefused, .pushFailed: keyRefused(facts, triedUsers)
        case .tooManyFailures: tooManyFailures(facts)
        case .hostKeyRefused, .openedWhileAsking, .keyFilesUnusable, .notRunning, .other: nil
        }
    }

    /// What can be had of the agent when it says that sshd is not there.
    private static func withoutServer(_ outcome: LoginOutcome, _ facts: LoginFacts) -> Hint? {
        switch outcome {
        case .nameNotFound, .noAnswer, .connectionRefused, .closedBeforeBanner, .notSSH: break
        default: return nil
        }
        guard facts.lostWays[.ssm] == .refused, facts.attempts.isEmpty else { return nil }
        let host = quoted(facts.host)
        switch (facts.agent.wish, facts.agent.fallback) {
        case (.shell, .no): return .run("ec2sh -o EC2ShellFallback=auto \(host)")
        case (.command, .auto), (.command, .no):
            return .advice(
                "nobody listens there, but Systems Manager's agent answers: in a terminal, "
                    + "-o EC2ShellFallback=yes runs the command by it, as its own user"
            )
        case (.ports, _): return .advice("forwards without sshd: -N with -o EC2Ways=ssm")
        case (.other, .yes):
            return .advice(
                "EC2ShellFallback is for terminals: Systems Manager would mix a command's outputs "
                    + "and lose its status; 'aws ssm send-command' runs one without sshd"
            )
        case (.shell, _), (.command, .yes), (.other, _):
            return .advice(
                "nobody listens there, but Systems Manager's agent answers: 'ec2sh \(host)' in a "
                    + "terminal opens a shell by it; a script needs sshd, or 'aws ssm send-command'"
            )
        }
    }

    private static func nameNotFound(_ facts: LoginFacts) -> Hint {
        switch facts.name?.form {
        case .instanceID?:
            describe(facts, "[PublicDnsName,PublicIpAddress,PrivateIpAddress,State.Name]")
        case .publicName?:
            .advice(
                "an instance gets a new public name each time it starts; look for the present one"
            )
        case .privateName?:
            .advice("this name is known inside the instance's own network alone")
        case nil:
            .advice("look for the name's spelling, and whether the VPN or the network is there")
        }
    }

    private static func noAnswer(_ facts: LoginFacts) -> Hint {
        guard facts.name?.form != .privateName else {
            return .advice("this address is reached from inside the instance's own network alone")
        }
        return describe(facts, "[State.Name,PublicIpAddress,SubnetId,SecurityGroups]")
    }

    private static func notReady(_ outcome: LoginOutcome, _ facts: LoginFacts) -> Hint {
        if facts.attempts.count > 1 {
            return .advice(
                "the server may refuse this address for a while after failed logins; wait a minute"
            )
        }
        return outcome == .notSSH
            ? .advice("something else than sshd answers on this port")
            : .advice("sshd is not up; an instance that has just started needs a minute or two")
    }

    private static func changedKey(_ facts: LoginFacts) -> Hint {
        guard !facts.isManaged, let id = facts.name?.instanceID else {
            return .advice(
                "addresses go from one instance to another; compare the fingerprint with what the "
                    + "instance itself shows before you remove the old key"
            )
        }
        return .run(
            "aws ec2 get-console-output\(region(facts)) --instance-id \(id) --output text "
                + "| grep -A 8 'BEGIN SSH HOST KEY'"
        )
    }

    private static func keyRefused(_ facts: LoginFacts, _ triedUsers: [String]) -> Hint {
        if let words = missingKey(facts) { return .advice(words) }
        if facts.offeredKeys.isEmpty {
            return .advice("name the instance's private key with -i")
        }
        // The caller's user was not changed; an other one may be what is needed.
        let guess = facts.table.users(banner: facts.banner).first
        if let guess, facts.givenUser != nil, !triedUsers.contains(guess) {
            return .run("ec2sh -l \(quoted(guess)) \(quoted(facts.host))")
        }
        if let pair = facts.keyPair, let name = pair.name, let place = pair.place {
            return .advice(
                "\(place) has the key of the instance's key pair '\(visible(name.utf8))'; on the "
                    + "instance its authorized_keys has been changed, or the user is another one"
            )
        }
        return describe(facts, "[ImageId,KeyName]")
    }

    /// The key is what is wrong, and not the user; nil when that is not known.
    private static func missingKey(_ facts: LoginFacts) -> String? {
        guard let pair = facts.keyPair, pair.place == nil else { return nil }
        guard let name = pair.name.map({ visible($0.utf8) }) else {
            return facts.offeredKeys.isEmpty
                ? "the instance was launched without a key pair; name a key that it lets in with -i"
                : nil
        }
        if pair.searched.isEmpty {
            return "the instance's key pair is '\(name)', and IdentitiesOnly allows no search for "
                + "its private key; name it with -i"
        }
        let others =
            pair.impostors.isEmpty
            ? ""
            : "; \(list(pair.impostors, "and")) \(pair.impostors.count == 1 ? "has" : "have") "
                + "another key"
        return "the instance's key pair is '\(name)', whose private key is not in "
            + "\(list(pair.searched, "or"))\(others); name it with -i"
    }

    private static func tooManyFailures(_ facts: LoginFacts) -> Hint {
        guard let path = facts.keyFiles.first.map(quoted) else {
            return .advice("name the one right key with -o IdentitiesOnly=yes -i")
        }
        return .run("ec2sh -o IdentitiesOnly=yes -i \(path) \(quoted(facts.host))")
    }

    /// A call that shows the instance's state; with what is known of it as the filter.
    private static func describe(_ facts: LoginFacts, _ query: String) -> Hint {
        if facts.isManaged, let id = facts.name?.instanceID {
            return .run(
                "aws ssm describe-instance-information\(region(facts)) "
                    + "--filters Key=InstanceIds,Values=\(id) --output text"
            )
        }
        let selection: String
        if let id = facts.name?.instanceID {
            selection = "--instance-ids \(id)"
        } else if let address = facts.name?.address {
            let filter = facts.name?.form == .privateName ? "private-ip-address" : "ip-address"
            selection = "--filters Name=\(filter),Values=\(address)"
        } else {
            selection = "--filters Name=dns-name,Values=\(quoted(facts.host))"
        }
        return .run(
            "aws ec2 describe-instances\(region(facts)) \(selection) "
                + "--query 'Reservations[].Instances[].\(query)' --output text"
        )
    }

    private static func region(_ facts: LoginFacts) -> String {
        facts.name?.region.map { " --region \($0)" } ?? ""
    }

    /// Makes one word of a shell command out of any text.
    static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "_.,:/@%+=-".utf8.contains(byte)
                }
            }
        if isPlain { return text }
        let parts = text.split(separator: "'", omittingEmptySubsequences: false)
        return "'" + parts.joined(separator: "'\\''") + "'"
    }
}
