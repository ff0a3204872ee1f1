internal import Faults

// Keywords whose lines have rules of their own, C: `process_config_line_depth`.

extension ConfigParser {
    // MARK: The connection

    mutating func hostname() throws(Stop) {
        let name = LosslessText.string(try next(otherwise: "Missing argument."))
        guard isActive, !draft.has(.hostname) else { return }
        draft.hostname = name
        draft.options.given.insert(.hostname)
    }

    mutating func port() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        guard let port = Numbers.port(argument[...], environment.servicePort), port > 0 else {
            throw .line("Bad port '\(LosslessText.string(argument))'.")
        }
        assign(.port, \.port, port)
    }

    mutating func ipqos() throws(Stop) {
        let interactive = try qualityOfService(next())
        let second = next()
        let bulk = second == nil ? interactive : try qualityOfService(second)
        assign(.ipqos, \.ipqos, QualityOfService(interactive: interactive, bulk: bulk))
    }

    private func qualityOfService(_ argument: Bytes?) throws(Stop) -> UInt8? {
        guard let argument, let value = QualityOfService.read(argument) else {
            throw .line("Bad IPQoS value: \(argument.map { LosslessText.string($0) } ?? "(null)")")
        }
        return value
    }

    mutating func proxyCommand() {
        if isActive, draft.proxyCommand == nil {
            draft.proxyCommand = LosslessText.string(commandLine)
            draft.options.given.insert(.proxyCommand)
        }
        takeAll()
    }

    mutating func proxyJump() throws(Stop) {
        guard jump(Bytes(commandLine), isStrict: source.isCommandLine) else {
            throw .line("Invalid ProxyJump \"\(LosslessText.string(commandLine))\"")
        }
        takeAll()
    }

    /// Reads ProxyJump or `-J`.
    ///
    /// C: `parse_jump`.
    /// - Returns: false when it is none; what is wrong with a name was told.
    mutating func jump(_ text: Bytes, isStrict: Bool) -> Bool {
        if text.isWord("none") {
            if isActive, draft.jump == nil {
                draft.jump = Draft.Jump.none
                draft.options.given.insert(.proxyJump)
            }
            return true
        }
        var spec = text.prefix { $0 != UInt8(ascii: "#") }
        // What follows a blank is not looked at.
        if let blank = spec.dropFirst().firstIndex(where: \.isSpace) { spec = spec[..<blank] }
        var hosts: [JumpHost] = []
        for part in spec.parts(",").reversed() {
            guard let host = Destination.jump(Bytes(part), environment.servicePort) else {
                return false
            }
            if isStrict, !isHarmless(host) { return false }
            hosts.insert(
                JumpHost(
                    user: host.user,
                    host: host.host,
                    port: host.port,
                    text: LosslessText.string(part)
                ),
                at: 0
            )
        }
        if isActive, draft.proxyCommand == nil, draft.jump == nil {
            draft.jump = .hosts(hosts)
            draft.proxyCommand = "none"
            draft.options.given.insert(.proxyJump)
        }
        return true
    }

    private func isHarmless(_ host: Destination) -> Bool {
        if !SafeNames.isHost(LosslessText.bytes(host.host)) {
            say(.error, "parse_jump: invalid hostname \"\(host.host)\"")
            return false
        }
        if let user = host.user, !SafeNames.isUser(LosslessText.bytes(user)) {
            say(.error, "parse_jump: invalid username \"\(user)\"")
            return false
        }
        return true
    }

    // MARK: Canonical names

    /// Suffixes or pairs from this number on are too many; C: `MAX_CANON_DOMAINS`.
    private var mostCanonical: Int { 32 }

    mutating func canonicalDomains() throws(Stop) {
        var domains: [String] = []
        let words = try wordsOrNone { word throws(Stop) in
            if let problem = DomainName.problem(word) { throw .line(problem.words(word)) }
        }
        for word in words {
            var domain = word.lowercased()
            if domain.last == UInt8(ascii: ".") { domain.removeLast() }
            domains.append(LosslessText.string(domain))
        }
        if isActive, !draft.has(.canonicalDomains), domains.count > mostCanonical {
            throw .line("too many hostname suffixes.")
        }
        if !domains.isEmpty { assign(.canonicalDomains, \.canonicalDomains, domains) }
    }

    mutating func permittedCNAMEs() throws(Stop) {
        var pairs: [PermittedCNAME] = []
        while let argument = next() {
            if argument.isWord("none") {
                if !pairs.isEmpty || !arguments.isEmpty {
                    throw .line("keyword \(keyword) \"none\" argument must appear alone.")
                }
                pairs.append(PermittedCNAME(source: LosslessText.string(argument), target: ""))
                continue
            }
            if argument.isExactly("*") {
                pairs.append(PermittedCNAME(source: "*", target: "*"))
                continue
            }
            let lower = argument.lowercased()
            guard let colon = lower.firstIndex(of: UInt8(ascii: ":")), colon + 1 < lower.count
            else {
                throw .line("Invalid permitted CNAME \"\(LosslessText.string(lower))\"")
            }
            pairs.append(
                PermittedCNAME(
                    source: LosslessText.string(lower[..<colon]),
                    target: LosslessText.string(lower[(colon + 1)...])
                )
            )
        }
        if isActive, !draft.has(.canonicalizePermittedCNAMEs), pairs.count > mostCanonical {
            throw .line("too many permitted CNAMEs.")
        }
        if !pairs.isEmpty {
            assign(.canonicalizePermittedCNAMEs, \.canonicalizePermittedCNAMEs, pairs)
        }
    }

    // MARK: The transport and the host key

    mutating func rekeyLimit() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        var bytes: Int64 = 0
        if !argument.isExactly("default") {
            do throws(Numbers.SizeProblem) {
                bytes = try Numbers.size(argument)
            } catch {
                throw .line("Bad number '\(LosslessText.string(argument))': \(error.rawValue)")
            }
            if bytes != 0, bytes < 16 { throw .line("RekeyLimit too small") }
        }
        assign(.rekeyLimit, \.rekeyLimit.bytes, bytes)
        guard let interval = arguments.first else { return }
        if interval.isExactly("none") {
            arguments.removeFirst()
        } else if let seconds = try time(), isActive, !draft.isRekeyTimeGiven {
            draft.options.rekeyLimit.seconds = seconds
            draft.isRekeyTimeGiven = true
        }
    }

    mutating func fingerprintHash() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        guard let hash = FingerprintHash.words.first(where: { argument.isWord($0.word) }) else {
            throw .line("Invalid hash algorithm \"\(LosslessText.string(argument))\".")
        }
        assign(.fingerprintHash, \.fingerprintHash, hash.value)
    }

    // MARK: Logging

    mutating func logLevel() throws(Stop) {
        let argument = next()
        guard let argument, let level = Trace.Level.words.first(where: { argument.isWord($0.word) })
        else { throw .line("unsupported log level '\(shown(argument))'") }
        assign(.logLevel, \.logLevel, level.value)
    }

    mutating func syslogFacility() throws(Stop) {
        let argument = next()
        guard let argument,
            let facility = SyslogFacility.words.first(where: { argument.isWord($0.word) })
        else { throw .line("unsupported log facility '\(shown(argument))'") }
        // OpenSSH does not ask whether the block applies.
        if !draft.has(.syslogFacility) {
            draft.put(.syslogFacility, \.syslogFacility, facility.value)
        }
    }

    mutating func logVerbose() throws(Stop) {
        // OpenSSH keeps the first word only.
        guard let first = try wordsOrNone().first else { return }
        assign(.logVerbose, \.logVerbose, [LosslessText.string(first)])
    }

    private func shown(_ argument: Bytes?) -> String {
        argument.map { LosslessText.string($0) } ?? "<NONE>"
    }
}
