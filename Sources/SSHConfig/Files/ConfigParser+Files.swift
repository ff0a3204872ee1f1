internal import Faults

extension ConfigParser {
    /// Files included more deeply than this end the run; C: `READCONF_MAX_DEPTH`.
    static let deepestInclude = 16

    /// Reads a file with everything it includes.
    ///
    /// C: `read_config_file_depth`.
    /// - Returns: nil when it was read, else why it could not be opened.
    mutating func read(
        file path: String,
        _ source: Source
    ) throws(ConfigurationFault) -> Unreadable? {
        if depth > Self.deepestInclude {
            throw ConfigurationFault("Too many recursive configuration includes")
        }
        let contents: [UInt8]
        switch environment.readFile(path) {
        case .missing(let reason): return Unreadable(reason: reason, isMissing: true)
        case .failed(let reason): return Unreadable(reason: reason, isMissing: false)
        case .contents(let bytes, let facts):
            if source.checksPermissions, !isSafe(facts) {
                throw ConfigurationFault("Bad owner or permissions on \(path)")
            }
            contents = bytes
        }
        say(.debug1, "Reading configuration data \(path)")
        (self.source, file, lineNumber) = (source, path, 0)
        var bad = 0
        var rest = contents[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "\n")) ?? rest.endIndex
            lineNumber += 1
            if !(try read(line: rest[..<end])) { bad += 1 }
            rest = rest[end...].dropFirst()
        }
        if bad > 0 {
            throw ConfigurationFault("\(path): terminating, \(bad) bad configuration options")
        }
        return nil
    }

    /// Why a file could not be opened.
    struct Unreadable {
        var reason: String
        var isMissing: Bool
    }

    /// Whether nobody else can have written the file.
    ///
    /// C: `secure_permissions`, Debian's.
    private func isSafe(_ facts: ConfigEnvironment.FileFacts) -> Bool {
        guard facts.owner == 0 || facts.owner == environment.user.id else { return false }
        if facts.mode & 0o002 != 0 { return false }
        return facts.mode & 0o020 == 0 || environment.isPrivateGroup(facts.group, facts.owner)
    }

    /// Reads an Include line.
    ///
    /// C: `oInclude`.
    mutating func readInclude() throws(Stop) {
        if source.isCommandLine {
            say(.error, "Include directive not supported as a command-line option")
            throw .told
        }
        while let argument = next() {
            if argument.isEmpty { throw .line("keyword \(keyword) empty argument") }
            let isHome = argument.first == UInt8(ascii: "~")
            let typed = LosslessText.string(argument)
            if isHome, !source.isUser { throw .line("bad include path \(typed).") }
            let isAnchored = isHome || argument.first == UInt8(ascii: "/")
            let pattern = isAnchored ? typed : (source.isUser ? "~/.ssh/" : "/etc/ssh/") + typed
            switch environment.glob(pattern) {
            case .none: sayHere(.debug1, "include \(pattern) matched no files")
            case .failed: throw .line("glob failed for \(pattern).")
            case .paths(let paths): for path in paths { try include(path) }
            }
        }
    }

    /// Reads one included file and goes on where we were.
    private mutating func include(_ path: String) throws(Stop) {
        sayHere(
            .debug3,
            "Including file \(path) depth \(depth)\(isActive ? "" : " (parse only)")"
        )
        let place = (source, file, lineNumber, isActive, keyword, rest, arguments)
        var source = source
        source.checksPermissions = true
        if !isActive { source.neverMatches = true }
        depth += 1
        let problem: Unreadable?
        do throws(ConfigurationFault) {
            problem = try read(file: path, source)
        } catch {
            throw .fatal(error)
        }
        depth -= 1
        (self.source, file, lineNumber, isActive, keyword, rest, arguments) = place
        if let problem, !problem.isMissing {
            say(.error, "Can't open user config file \(path): \(problem.reason)")
            throw .told
        }
    }
}
