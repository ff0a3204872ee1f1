internal import Faults

/// Hostname and canonicalization, between the two passes. C: `main` and `resolve_canonicalize`.
extension OptionsResolver {
    /// Takes Hostname into use, and makes the name canonical if that is wanted.
    mutating func settleHostname() throws(ConfigurationFault) {
        var host = LosslessText.string(parser.host)
        if let hostname = parser.draft.hostname {
            host = try expand(hostname, host)
            parser.draft.hostname = host
        }
        let isAddress = isAddress(host)
        if !isAddress { host = LosslessText.string(LosslessText.bytes(host).lowercased()) }
        var isFound = false
        if isAddress || parser.draft.options.canonicalizeHostname != .no {
            isFound = try canonicalize(&host)
        }
        if !isFound { try followAlias(&host) }
        parser.host = LosslessText.bytes(host)
    }

    private func expand(_ hostname: String, _ host: String) throws(ConfigurationFault) -> String {
        do throws(Expansion.Failure) {
            return try Expansion(tokens: { $0 == UInt8(ascii: "h") ? host : nil })(hostname)
        } catch {
            for line in error.lines { parser.say(.error, line) }
            throw ConfigurationFault("percent_expand: failed")
        }
    }

    /// Whether a name can only be an address.
    ///
    /// C: `is_addr_fast`.
    private func looksLikeAddress(_ host: String) -> Bool {
        host.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: ":") }
            || host.utf8.allSatisfy { $0.isDigit || $0 == UInt8(ascii: ".") }
    }

    /// C: `is_addr`.
    ///
    /// Other forms of addresses, such as 0x7f.1, begin with a digit.
    private func isAddress(_ host: String) -> Bool {
        if looksLikeAddress(host) { return true }
        return host.utf8.first?.isDigit ?? false && numeric(host) != nil
    }

    private func numeric(_ host: String) -> String? {
        parser.environment.numericAddress(host, parser.draft.options.addressFamily)
    }

    /// Whether we connect ourselves rather than by a proxy.
    private var isDirect: Bool {
        let jumps = parser.draft.jump != nil
        return parser.draft.proxyCommand?.isWord("none") ?? true && !jumps
    }

    /// Makes an address or a name canonical.
    ///
    /// C: `resolve_canonicalize`.
    /// - Returns: whether the resolver found it.
    private func canonicalize(_ host: inout String) throws(ConfigurationFault) -> Bool {
        let options = parser.draft.options
        if let address = numeric(host) {
            if !host.isWord(address) { host = address }
            return true
        }
        if looksLikeAddress(host) || options.canonicalizeHostname == .no { return false }
        if !isDirect, options.canonicalizeHostname != .always { return false }
        var candidates: [String] = []
        if host.utf8.last == UInt8(ascii: ".") {
            candidates = [host]
        } else {
            let dots = host.utf8.count { $0 == UInt8(ascii: ".") }
            if dots > options.canonicalizeMaxDots { return false }
            for domain in options.canonicalDomains {
                if domain.isWord("none") { break }
                candidates.append("\(host).\(domain).")
            }
        }
        for candidate in candidates {
            guard let alias = lookUp(candidate, tellsUnknown: false) else { continue }
            var found = String(candidate.dropLast())
            if !follow(alias, &found) {
                parser.say(.debug1, "Canonicalized hostname \"\(host)\" => \"\(found)\"")
            }
            host = found
            return true
        }
        if !options.canonicalizeFallbackLocal {
            throw ConfigurationFault("ssh: Could not resolve host \"\(host)\"")
        }
        return false
    }

    /// Follows an alias of the name as it is, if CanonicalizePermittedCNAMEs asks for it.
    private func followAlias(_ host: inout String) throws(ConfigurationFault) {
        guard hasPermittedCNAMEs,
            isDirect || parser.draft.options.canonicalizeHostname == .always
        else { return }
        if let alias = lookUp(host, tellsUnknown: isDirect) {
            _ = follow(alias, &host)
        } else if isDirect {
            throw ConfigurationFault(nil)
        }
    }

    /// C: `config_has_permitted_cnames`.
    private var hasPermittedCNAMEs: Bool {
        let pairs = parser.draft.options.canonicalizePermittedCNAMEs
        if pairs.count == 1, pairs[0].source.isWord("none"), pairs[0].target.isEmpty {
            return false
        }
        return !pairs.isEmpty
    }

    /// Replaces a name by its alias if a rule permits.
    ///
    /// C: `check_follow_cname`.
    private func follow(_ alias: String, _ host: inout String) -> Bool {
        let options = parser.draft.options
        if alias.isEmpty || !hasPermittedCNAMEs || host == alias { return false }
        if options.canonicalizeHostname == .no { return false }
        if !isDirect, options.canonicalizeHostname != .always { return false }
        let isPermitted = options.canonicalizePermittedCNAMEs.contains { rule in
            matches(host, rule.source) && matches(alias, rule.target)
        }
        guard isPermitted else { return false }
        parser.say(.verbose, "Canonicalized DNS aliased hostname \"\(host)\" => \"\(alias)\"")
        host = alias
        return true
    }

    private func matches(_ name: String, _ list: String) -> Bool {
        Patterns.judge(
            LosslessText.bytes(name),
            LosslessText.bytes(list),
            lowercasingList: true
        ) == .match
    }

    /// Looks a name up.
    ///
    /// C: `resolve_host`.
    /// - Returns: its canonical name, empty when the resolver told none; nil when not found.
    private func lookUp(_ name: String, tellsUnknown: Bool) -> String? {
        let outcome = parser.environment.lookUp(name, parser.draft.options.addressFamily)
        let words = "ssh: Could not resolve hostname \(name)"
        switch outcome {
        case .found(let canonical?):
            if let problem = DomainName.problem(canonical.utf8) {
                let reason = problem.words(canonical.utf8)
                parser.say(
                    .error,
                    "ignoring bad CNAME \"\(canonical)\" for host \"\(name)\": \(reason)"
                )
                return ""
            }
            return canonical.utf8.last == UInt8(ascii: ".")
                ? String(canonical.dropLast()) : canonical
        case .found(nil):
            return ""
        case .unknown(let reason):
            parser.say(tellsUnknown ? .error : .debug1, "\(words): \(reason)")
            return nil
        case .failed(let reason):
            parser.say(.error, "\(words): \(reason)")
            return nil
        }
    }
}
