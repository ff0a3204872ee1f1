extension Invocation {
    /// Reads a command line exactly as `ssh.c` does with BSD getopt.
    ///
    /// Flags may stand before and after the destination, alone or in clusters, values glued or as
    /// the next word. The first word after the destination that is no flag begins the command; so
    /// does a `--` in front of it. A `--` before the destination ends flags for good.
    /// - Parameter arguments: the whole vector, `argv[0]` included.
    public init(arguments: [String]) {
        self.init(program: arguments.first ?? "ec2sh", verb: nil, words: [], command: [])
        var rest = arguments.dropFirst()
        if name != "ssh", let first = rest.first, let verb = Verb(rawValue: first) {
            self.verb = verb
            rest = rest.dropFirst()
        }
        var getopt = Getopt(rest, longOptions: verb?.longOptions ?? [])
        guard read(&getopt), let destination = getopt.rest.first else { return }
        words.append(.destination(destination))
        let afterDestination = getopt.rest.dropFirst()
        if getopt.endedByDashes {
            command = Array(afterDestination)
            return
        }
        getopt = Getopt(afterDestination, longOptions: verb?.longOptions ?? [])
        guard read(&getopt) else { return }
        command = Array(getopt.rest)
        // A session's id is no command, so flags may follow it as well.
        guard verb == .attach, !getopt.endedByDashes, let id = command.first else { return }
        getopt = Getopt(command.dropFirst(), longOptions: Verb.attach.longOptions)
        guard read(&getopt) else { return }
        command = [id] + getopt.rest
    }

    /// Takes flags until there is none.
    /// - Returns: false after a complaint.
    private mutating func read(_ getopt: inout Getopt) -> Bool {
        while let found = getopt.next() {
            switch found {
            case .word(let word): words.append(word)
            case .complaint(let complaint):
                self.complaint = complaint
                return false
            }
        }
        return true
    }
}

/// Walks over flags as `BSDgetopt` does, without permutation.
struct Getopt {
    enum Found {
        case word(Invocation.Word)
        case complaint(Complaint)
    }

    /// Words not taken yet.
    private(set) var rest: ArraySlice<String>
    /// The last word taken was `--`, be it as the end of flags or as the value of one; OpenSSH
    /// makes no difference either.
    var endedByDashes: Bool { rest.startIndex > start && last == "--" }

    private let start: Int
    private let longOptions: [Verb.LongOption]
    private var last = ""
    /// What is left of the cluster that `rest.first` holds.
    private var cluster = ""[...].utf8

    init(_ words: ArraySlice<String>, longOptions: [Verb.LongOption]) {
        rest = words
        start = words.startIndex
        self.longOptions = longOptions
    }

    /// Gives the next flag.
    /// - Returns: nil when the flags are over; `rest` begins with what follows them.
    mutating func next() -> Found? {
        if cluster.isEmpty {
            guard let word = rest.first, word.utf8.first == UInt8(ascii: "-") else { return nil }
            if word == "-" { return nil }
            if word == "--" {
                take()
                return nil
            }
            if word.hasPrefix("--"),
                let long = longOptions.first(where: { "--" + $0.rawValue == word })
            {
                take()
                return .word(.long(long))
            }
            cluster = word.utf8.dropFirst()
        }
        let letter = Character(Unicode.Scalar(cluster.removeFirst()))
        // A dash that ends a cluster is no flag: the whole word counts as not taken.
        if letter == "-", cluster.isEmpty { return nil }
        guard let flag = Flag(rawValue: letter) else { return .complaint(.unknownFlag(letter)) }
        guard flag.takesValue else {
            if cluster.isEmpty { take() }
            return .word(.flag(flag, nil))
        }
        take()
        if !cluster.isEmpty {
            defer { cluster = ""[...].utf8 }
            return .word(.flag(flag, String(Substring(cluster))))
        }
        guard let value = rest.first else { return .complaint(.missingValue(flag)) }
        take()
        return .word(.flag(flag, value))
    }

    private mutating func take() { last = rest.removeFirst() }
}
