internal import EC2
internal import Faults

/// What the user can do about a login that failed, for instances alone.
enum StrategyHints {
    static func hint(
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
        guard let id = facts.name?.instanceID else {
            return .advice(
                "addresses go from one instance to another; compare the fingerprint with the "
                    + "instance's console output before you remove the old key"
            )
        }
        return .run(
            "aws ec2 get-console-output\(region(facts)) --instance-id \(id) --output text "
                + "| grep -A 8 'BEGIN SSH HOST KEY'"
        )
    }

    private static func keyRefused(_ facts: LoginFacts, _ triedUsers: [String]) -> Hint {
        if facts.offeredKeys.isEmpty {
            return .advice("name the instance's private key with -i")
        }
        // The caller's user was not changed; an other one may be what is needed.
        let guess = facts.table.users(banner: facts.banner).first
        if let guess, facts.givenUser != nil, !triedUsers.contains(guess) {
            return .run("ec2sh -l \(quoted(guess)) \(quoted(facts.host))")
        }
        return describe(facts, "[ImageId,KeyName]")
    }

    private static func tooManyFailures(_ facts: LoginFacts) -> Hint {
        guard let path = facts.keyFiles.first.map(quoted) else {
            return .advice("name the one right key with -o IdentitiesOnly=yes -i")
        }
        return .run("ec2sh -o IdentitiesOnly=yes -i \(path) \(quoted(facts.host))")
    }

    /// A call that shows the instance's state; with what is known of it as the filter.
    private static func describe(_ facts: LoginFacts, _ query: String) -> Hint {
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
