internal import Faults

extension ConfigParser {
    /// Reads a Host line.
    ///
    /// C: `oHost`.
    mutating func readHost() throws(Stop) {
        try refuseOnCommandLine()
        isActive = false
        while let argument = next() {
            if argument.isEmpty { throw .line("keyword \(keyword) empty argument") }
            if source.neverMatches { return takeAll() }
            let isNegated = argument.first == UInt8(ascii: "!")
            let pattern = isNegated ? argument.dropFirst() : argument[...]
            guard Patterns.matches(host[...], pattern) else { continue }
            if isNegated {
                sayHere(
                    .debug1,
                    "Skipping Host block because of negated match for "
                        + LosslessText.string(pattern)
                )
                isActive = false
                return takeAll()
            }
            if !isActive {
                sayHere(.debug1, "Applying options for \(LosslessText.string(pattern))")
            }
            isActive = true
        }
    }

    /// Reads a Match line.
    ///
    /// C: `oMatch`.
    mutating func readMatch() throws(Stop) {
        try refuseOnCommandLine()
        var words = WordCursor(Array(rest))
        let applies: Bool
        do throws(Stop) {
            applies = try judge(&words)
        } catch .told {
            throw .line("Bad Match condition")
        }
        isActive = applies && !source.neverMatches
        // Words that were not looked at make the line one with extra arguments.
        if words.isAtEnd { takeAll() }
    }

    private func refuseOnCommandLine() throws(Stop) {
        guard source.isCommandLine else { return }
        say(.error, "Host directive not supported as a command-line option")
        throw .told
    }
}

// MARK: Match

extension ConfigParser {
    /// Judges the criteria of a Match line.
    ///
    /// C: `match_cfg_line`.
    private mutating func judge(_ words: inout WordCursor) throws(Stop) -> Bool {
        let host = try hostToMatch()
        var applies = true
        var count = 0
        while let word = words.next(), !word.isEmpty {
            if word.first == UInt8(ascii: "#") {
                words.finish()
                break
            }
            let isNegated = word.first == UInt8(ascii: "!")
            let criterion = LosslessText.string(isNegated ? word.dropFirst() : word[...])
            if criterion.isWord("all") {
                let next = count > 1 ? nil : words.next()
                let isComment = next?.first == UInt8(ascii: "#")
                if count > 1 || !(next?.isEmpty ?? true) && !isComment {
                    sayHere(
                        .error,
                        "'\(LosslessText.string(word))' cannot be combined with other Match "
                            + "attributes"
                    )
                    throw .told
                }
                if isComment { words.finish() }
                return applies && !isNegated
            }
            count += 1
            if criterion.isWord("canonical") || criterion.isWord("final") {
                if criterion.isWord("final"), !source.isFinalPass { wantsFinalPass = true }
                if source.isFinalPass == isNegated { applies = false }
                continue
            }
            guard let argument = words.next(), let first = argument.first,
                first != UInt8(ascii: "#")
            else {
                say(.error, "Missing Match criteria for \(criterion)")
                throw .told
            }
            guard let holds = try holds(criterion, argument, host, isStillOpen: applies) else {
                continue
            }
            if holds == isNegated { applies = false }
        }
        if count == 0 {
            say(.error, "One or more attributes required for Match")
            throw .told
        }
        return applies
    }

    /// The host name as known so far.
    private func hostToMatch() throws(Stop) -> Bytes {
        guard let hostname = draft.hostname else { return host }
        if source.isFinalPass { return LosslessText.bytes(hostname) }
        let typed = LosslessText.string(host)
        return LosslessText.bytes(
            try expand(hostname) { $0 == UInt8(ascii: "h") ? typed : nil }
        )
    }

    /// Judges one criterion with an argument.
    /// - Returns: nil for a command that is not run, since the line cannot apply any more.
    private func holds(
        _ criterion: String,
        _ argument: Bytes,
        _ host: Bytes,
        isStillOpen: Bool
    ) throws(Stop) -> Bool? {
        let user = draft.has(.user) ? draft.options.user : environment.user.name
        if criterion.isWord("host") { return Patterns.judgeHost(host, argument) == .match }
        if criterion.isWord("originalhost") {
            return Patterns.judgeHost(originalHost, argument) == .match
        }
        if criterion.isWord("user") {
            return Patterns.judge(LosslessText.bytes(user), argument) == .match
        }
        if criterion.isWord("localuser") {
            return Patterns.judge(LosslessText.bytes(environment.user.name), argument) == .match
        }
        guard criterion.isWord("exec") else {
            say(.error, "Unsupported Match attribute \(criterion)")
            throw .told
        }
        let hostname = LosslessText.string(host)
        let tokens = Tokens(
            localHost: environment.hostName(),
            hostname: hostname,
            host: LosslessText.string(originalHost),
            port: draft.has(.port) ? draft.options.port : environment.servicePort("ssh") ?? 22,
            remoteUser: user,
            localUser: environment.user.name,
            localUserID: environment.user.id,
            home: environment.user.home,
            keyAlias: draft.options.hostKeyAlias ?? hostname
        )
        let command = try expand(LosslessText.string(argument), tokens.value)
        return isStillOpen ? try succeeds(command) : nil
    }

    /// Runs the command of `Match exec`.
    ///
    /// C: `execute_in_shell`.
    private func succeeds(_ command: String) throws(Stop) -> Bool {
        say(.debug1, "Executing command: '\(command)'")
        switch environment.run(command) {
        case .exited(let status):
            return status == 0
        case .signalled:
            say(.error, "command '\(command)' exited abnormally")
            throw .fatal(
                ConfigurationFault("\(file) line \(lineNumber): match exec '\(command)' error")
            )
        case .noShell(let shell, let reason):
            throw .fatal(ConfigurationFault("Shell \"\(shell)\" is not executable: \(reason)"))
        }
    }

    private func expand(
        _ text: String,
        _ tokens: @escaping (UInt8) -> String?
    ) throws(Stop) -> String {
        do throws(Expansion.Failure) {
            return try Expansion(tokens: tokens)(text)
        } catch {
            for line in error.lines { say(.error, line) }
            throw .fatal(ConfigurationFault("percent_expand: failed"))
        }
    }
}
