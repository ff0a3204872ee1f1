internal import Faults

/// Reads configuration line by line into a ``Draft``.
///
/// C: `readconf.c`.
///
/// Handlers of ``KeywordTable`` are given this value: they take arguments with ``next()`` and
/// assign what is not set yet. It lives for one run: both passes, all files, every `-o`.
struct ConfigParser {
    /// Where a line comes from.
    struct Source {
        /// `-o` rather than a file: always active, and no Host, Match or Include.
        var isCommandLine = false
        /// The user's configuration or `-F`, not the system's.
        ///
        /// C: `SSHCONF_USERCONF`.
        var isUser = false
        /// Owner and mode must be safe.
        ///
        /// C: `SSHCONF_CHECKPERM`.
        var checksPermissions = false
        /// The pass after canonicalization.
        ///
        /// C: `SSHCONF_FINAL`.
        var isFinalPass = false
        /// Included from a block that does not apply.
        ///
        /// C: `SSHCONF_NEVERMATCH`.
        var neverMatches = false
    }

    /// Why a line was given up.
    enum Stop: Error {
        /// For this reason, which is told behind file and line.
        case line(String)
        /// For a reason that was told already.
        case told
        /// And the run with it.
        case fatal(ConfigurationFault)
    }

    let environment: ConfigEnvironment
    var draft: Draft
    /// Lines above this level are not told.
    ///
    /// Set from the flags before files are read.
    var level = Trace.Level.info

    /// What Host patterns are matched with: as typed, then canonical.
    ///
    /// C: `host`.
    var host: Bytes = []
    /// As typed.
    ///
    /// C: `original_host`.
    var originalHost: Bytes = []
    /// A `Match final` was seen, so that files must be read again.
    var wantsFinalPass = false

    // The line at hand.
    var source = Source()
    var file = ""
    var lineNumber = 0
    /// Whether the block the line is in applies.
    var isActive = true
    var keyword = ""
    /// The line after its keyword.
    var rest: ArraySlice<UInt8> = []
    /// The same as arguments, those taken left out.
    var arguments: ArraySlice<Bytes> = []
    /// How many files include the one at hand.
    var depth = 0

    init(environment: ConfigEnvironment, host: String) {
        self.environment = environment
        draft = Draft(host: host)
        originalHost = LosslessText.bytes(host)
        self.host = originalHost
    }

    /// Takes the next argument.
    mutating func next() -> Bytes? { arguments.popFirst() }

    /// Takes the next argument, which must not be empty.
    /// - Throws: `otherwise` behind file and line.
    mutating func next(otherwise: String) throws(Stop) -> Bytes {
        guard let argument = next(), !argument.isEmpty else { throw .line(otherwise) }
        return argument
    }

    /// Counts what is left as taken.
    mutating func takeAll() { arguments = [] }

    /// Assigns a value if the block applies and none was given before.
    mutating func assign<Value>(
        _ keyword: Keyword,
        _ path: WritableKeyPath<Options, Value>,
        _ value: Value
    ) {
        guard isActive, !draft.has(keyword) else { return }
        draft.put(keyword, path, value)
    }

    /// Tells a line, as ssh's log does.
    func say(_ level: Trace.Level, _ text: @autoclosure () -> String) {
        guard level <= self.level else { return }
        environment.say(level, text())
    }

    /// Tells a line with its place in front.
    func sayHere(_ level: Trace.Level, _ text: @autoclosure () -> String) {
        say(level, "\(file) line \(lineNumber): \(text())")
    }

    /// Expands `${}` alone, telling what is wrong.
    ///
    /// C: `dollar_expand`.
    func expandVariables(_ text: Bytes) -> Bytes? {
        do throws(Expansion.Failure) {
            let expansion = Expansion(variable: environment.variable)
            return LosslessText.bytes(try expansion(LosslessText.string(text)))
        } catch {
            for line in error.lines { say(.error, line) }
            return nil
        }
    }
}

extension ConfigParser {
    /// Reads one line.
    ///
    /// C: `process_config_line_depth`.
    /// - Returns: false when it counts as a bad option.
    mutating func read(line: ArraySlice<UInt8>) throws(ConfigurationFault) -> Bool {
        do throws(Stop) {
            guard let row = try begin(line) else { return true }
            try row.read(&self)
            if !arguments.isEmpty {
                throw .line("keyword \(keyword) extra arguments at end of line")
            }
            return true
        } catch {
            switch error {
            case .line(let reason): sayHere(.error, reason)
            case .told: break
            case .fatal(let fault): throw fault
            }
            return false
        }
    }

    /// Finds the keyword and splits what follows.
    /// - Returns: nil for empty lines and comments.
    private mutating func begin(_ line: ArraySlice<UInt8>) throws(Stop) -> KeywordRow? {
        // A line ends at a NUL; blanks at its end do not count, a form feed is one there only.
        var line = line.prefix { $0 != 0 }
        while line.count > 1, let last = line.last, last.isBlank || last == 0x0C {
            line.removeLast()
        }
        if line.first == UInt8(ascii: "#") { return nil }
        var words = WordCursor(Array(line))
        guard var word = words.next() else { return nil }
        if word.isEmpty { word = words.next() ?? [] }
        guard let first = word.first, first != UInt8(ascii: "#") else { return nil }
        keyword = LosslessText.string(word.lowercased())
        rest = (words.rest ?? []).drop(while: \.isBlank)
        arguments = []
        if rest.isEmpty { throw .line("no argument after keyword \"\(keyword)\"") }

        let row = KeywordTable.row(keyword) ?? unknown()
        guard let split = splitArguments(rest) else { throw .line("invalid quotes") }
        guard let row else { throw .told }
        arguments = split[...]
        return row
    }

    /// Decides about a keyword that is in no table.
    ///
    /// C: `parse_token`.
    private func unknown() -> KeywordRow? {
        if let ignored = draft.options.ignoreUnknown,
            Patterns.judge(
                LosslessText.bytes(keyword),
                LosslessText.bytes(ignored),
                lowercasingList: true
            ) == .match
        {
            return KeywordTable.ignoredUnknown
        }
        say(.error, "\(file): line \(lineNumber): Bad configuration option: \(keyword)")
        return nil
    }
}
