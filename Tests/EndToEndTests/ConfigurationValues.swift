import TestSupport

/// Makes values for keywords: mostly good ones, and such as lie on the edge.
struct ConfigurationValues {
    var random: Seeded
    /// Where files of the case are.
    let directory: String
    /// How often a value is bad: once in so many.
    var badness = 12

    mutating func value(for kind: Kind) -> String {
        if random.once(in: badness) { return bad() }
        return switch kind {
        case .flag: random.pick(["yes", "no", "true", "false", "YES", "No", "TRUE"])
        case .words(let words): random.pick(words)
        case .text: random.pick(Self.texts)
        case .path: path()
        case .command: random.pick(Self.commands)
        case .number: number()
        case .time: time()
        case .port: port()
        case .size: size()
        case .algorithms(let names): list(of: names)
        case .local: "\(listener()) \(target())"
        case .remote: random.once(in: 3) ? listener() : "\(listener()) \(target())"
        case .dynamic: listener()
        case .jump: jump()
        case .files: random.some(1...3) { $0.pick(Self.files) }.joined(separator: " ")
        case .names: random.some(1...3) { $0.pick(Self.variables) }.joined(separator: " ")
        case .assignments: random.some(1...3) { $0.pick(Self.assignments) }.joined(separator: " ")
        case .qos: random.some(1...2) { $0.pick(Self.qualities) }.joined(separator: " ")
        case .hosts: random.some(1...3) { $0.pick(Self.patterns) }.joined(separator: " ")
        case .match: match()
        case .include: random.some(1...2) { $0.pick(Self.includes) }.joined(separator: " ")
        case .rekey:
            random.once(in: 2) ? size() : "\(size()) \(random.once(in: 3) ? "none" : time())"
        case .targets: random.some(1...3) { $0.pick(Self.targets) }.joined(separator: " ")
        case .domains: random.some(1...3) { $0.pick(Self.domains) }.joined(separator: " ")
        case .aliases: random.some(1...3) { $0.pick(Self.aliases) }.joined(separator: " ")
        }
    }

    /// What a keyword takes.
    enum Kind {
        case flag, text, path, command, number, time, port, size, local, remote, dynamic, jump
        case files, names, assignments, qos, hosts, match, include, rekey, targets, domains, aliases
        case words([String])
        case algorithms([String])
    }

    // MARK: Values with a grammar

    mutating func number() -> String {
        random.pick([
            "0", "1", "2", "3", "10", "007", "+5", " 7", "2147483647", "2147483648", "99999999999",
            "-1", "5x", "0x10", "1.5",
        ])
    }

    mutating func time() -> String {
        if random.once(in: 4) {
            return random.pick([
                "none", "0", "1h30m", "2d", "1w", "90", "10S", "5m5", "5m 5", "1H1M1S", "-1", "1x",
                "35000w", "2147483647", "2147483648", "9999999999999999999", "1hm", "None", "+5m",
            ])
        }
        return random.some(1...3) { "\($0.below(400))\($0.pick(["", "s", "m", "h", "d", "w"]))" }
            .joined()
    }

    mutating func port() -> String {
        random.pick([
            "22", "2222", "1", "65535", "0", "65536", "ssh", "http", "nosuchservice", "+22", " 22",
            "22x", "-1", "022", "99999999999999999999",
        ])
    }

    mutating func size() -> String {
        random.pick([
            "default", "0", "16", "15", "1k", "1K", "1.5G", "512M", "1T", "8E", "7E", "1P", "-1",
            "+5M", "1..5", "1.5.5", "1kb", "1k-", "k", ".", ".5M", "99999999999999999999", "1Z",
            "0.0000000000000000000000001G", "16 ", "9223372036854775807", "9223372036854775808",
            "1.9999999999999999999E", "100000000000000000000000", "--5", "DEFAULT",
        ])
    }

    mutating func list(of names: [String]) -> String {
        let prefix = random.pick(["", "", "+", "-", "^"])
        var parts = random.some(1...4) { random in
            let name = random.pick(names)
            switch random.below(8) {
            case 0: return String(name.prefix(random.below(name.utf8.count) + 1)) + "*"
            case 1: return "*" + String(name.suffix(random.below(name.utf8.count) + 1))
            case 2: return name.replacing("-", with: "?")
            default: return name
            }
        }
        if random.once(in: 12) {
            parts.append(
                random.pick(["", "bogus", "!" + random.pick(names), "RSA", "null", "none"])
            )
        }
        if random.once(in: 20) { parts.insert("", at: 0) }
        return prefix + parts.joined(separator: ",")
    }

    mutating func listener() -> String {
        random.pick([
            "8080", "localhost:8080", "*:8080", "[::1]:8080", ":8080", "/tmp/sock", "0", "[]:80",
            "a\\:b:80", "${PORT}", "${NOPE}", "${SOCK}", "127.0.0.1:http", "[::1]8080", "70000",
            "8080:", "\\", "/tmp/%h-%p", "[/tmp/s]:x", "host:1:2", "%q/x", "[abc", "8080:\\",
        ])
    }

    mutating func target() -> String {
        random.pick([
            "host:80", "[::1]:80", "/tmp/target", "host:ssh", "10.0.0.1:443", "host:0", "host",
            "socks:80", "a:b:80", "%h:80", "/run/%u.sock", "[fe80::1%eth0]:22", "\"a b:80\"",
            "host:80:", String(repeating: "x", count: 300) + ":80", "\\:80", "host:80 extra",
            "/" + String(repeating: "y", count: 120),
        ])
    }

    mutating func jump() -> String {
        random.pick([
            "none", "bastion", "me@bastion:2222", "a,b,c", "u@a:1,b", "[::1]:22", "ssh://u@h:22",
            "ssh://h/path", "", "a,,b", "a b", "a # x", "NONE", "10.1.2.3", "fe80::1", "a:", "@a",
            "a@b@c", "h:99999", "ssh://a,b", "-x", "a;b", "u$x@h", "1.2.3.4:5,6.7.8.9", "h:ssh",
            "ssh://u;fingerprint=x@h", "ssh://%41@h", "ssh://%zz@h", "h/",
        ])
    }

    mutating func match() -> String {
        let criteria = random.some(1...3) { random in
            let not = random.once(in: 4) ? "!" : ""
            return not + random.pick(Self.criteria)
        }
        return criteria.joined(separator: random.pick([" ", " ", "  ", "\t", "="]))
    }

    mutating func path() -> String {
        random.pick([
            "/tmp/a", "~/.ssh/x", "~nosuchuser/x", "~root/y", "none", "None", "/p/%h-%p-%r", "%C",
            "%%", "%d/%u/%i/%l/%L/%n/%k", "${HOME2}/x", "${NOPE}/x", "${", "${}", "%", "%z", "$VAR",
            "$V-R", "SSH_AUTH_SOCK", "\"with blank\"", "a\\ b", "'q'", "~", "~/", directory + "/f",
            "x${VAR}y%hz", "$", "%T",
        ])
    }

    /// What no keyword expects.
    mutating func bad() -> String {
        random.pick([
            "", "\"\"", "''", "\"unclosed", "'unclosed", "yes no", "a b c", "# comment", "yes # c",
            "yes#no", "=", "= yes", "==yes", "\\", "\\\"", "\"yes\"", "'yes'", "ye\"s\"", "%%", "é",
            "\u{7f}", "yes\r", "yes\u{c}", "-", "--", "none none", "any", "!", "*", "$", "${X}",
            "yes \"\"", "maybe", "2", "\"a\"b", "a=b", "\t", "no,yes", "~", "null",
        ])
    }
}
