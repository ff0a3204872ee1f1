internal import Faults

// Keys, agents and the session: keywords whose lines have rules of their own.

extension ConfigParser {
    /// Files from this number on are too many; C: `SSH_MAX_IDENTITY_FILES`.
    static let mostFiles = 100

    mutating func identityFile() throws(Stop) {
        try addFile(.identityFile, \.identities, "identity files")
    }

    mutating func certificateFile() throws(Stop) {
        try addFile(.certificateFile, \.certificates, "certificate files")
    }

    private mutating func addFile(
        _ keyword: Keyword,
        _ place: WritableKeyPath<Options, [IdentityPath]>,
        _ what: String
    ) throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        guard isActive else { return }
        let added = draft.add(
            IdentityPath(
                path: LosslessText.string(argument),
                origin: source.isUser ? .user : .system
            ),
            keyword,
            place
        )
        if !added { throw .line("Too many \(what) specified (max \(Self.mostFiles)).") }
    }

    // MARK: Agents

    mutating func forwardAgent() throws(Stop) {
        let argument = try next(otherwise: "missing argument.")
        if let flag = Bool(word: argument) {
            assign(.forwardAgent, \.forwardAgent, flag)
            return
        }
        assign(.forwardAgent, \.forwardAgent, true)
        let path = try agentPath(argument)
        if isActive, draft.options.forwardAgentSocket == nil {
            draft.options.forwardAgentSocket = path
        }
    }

    /// Checks the path of an agent's socket.
    ///
    /// C: the label `parse_agent_path`.
    func agentPath(_ argument: Bytes) throws(Stop) -> String {
        let path = LosslessText.string(argument)
        guard expandVariables(argument) != nil else {
            throw .line("Invalid environment expansion \(path).")
        }
        // The old way to name a variable.
        if argument.first == UInt8(ascii: "$"), argument.dropFirst().first != UInt8(ascii: "{"),
            !SafeNames.isVariable(argument.dropFirst())
        {
            throw .line("Invalid environment name \(path).")
        }
        return path
    }

    mutating func addKeysToAgent() throws(Stop) {
        let argument = next()
        let second = next()
        let mode = AddKeysToAgent.Mode.words.first { argument?.isWord($0.word) ?? false }?.value
        if argument?.isEmpty ?? true { sayHere(.error, "missing argument.") }
        let value: AddKeysToAgent
        switch (mode, second) {
        case (.confirm, let second?):
            guard let seconds = Numbers.seconds(second) else { throw .line("invalid time value.") }
            value = AddKeysToAgent(.confirm, lifetime: seconds)
        case (let mode?, nil):
            value = AddKeysToAgent(mode)
        case (nil, nil):
            guard let seconds = argument.flatMap(Numbers.seconds) else {
                throw .line("unsupported option")
            }
            value = AddKeysToAgent(.yes, lifetime: seconds)
        default:
            throw .line("unsupported option")
        }
        assign(.addKeysToAgent, \.addKeysToAgent, value)
    }

    mutating func gssapiKexAlgorithms() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        if case .unknown(let told) = AlgorithmLists.problem(argument[...], .gssKex) {
            if let told { say(.error, told) }
            let list = LosslessText.string(argument)
            throw .line("\(AlgorithmLists.Kind.gssKex.complaint) '\(list)'.")
        }
        assign(.gssapiKexAlgorithms, \.gssapiKexAlgorithms, LosslessText.string(argument))
    }

    // MARK: The session

    mutating func escapeChar() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        if argument.isExactly("none") {
            assign(.escapeChar, \.escapeChar, nil)
        } else if let byte = EscapeText.byte(argument) {
            assign(.escapeChar, \.escapeChar, byte)
        } else {
            throw .line("Bad escape character.")
        }
    }

    mutating func sendEnv() throws(Stop) {
        while let argument = next() {
            if argument.isEmpty || argument.contains(UInt8(ascii: "=")) {
                throw .line("Invalid environment name.")
            }
            guard isActive else { continue }
            if argument.first == UInt8(ascii: "-") {
                draft.options.sendEnv.removeAll { name in
                    Patterns.matches(LosslessText.bytes(name)[...], argument.dropFirst())
                }
            } else {
                draft.options.sendEnv.append(LosslessText.string(argument))
            }
            draft.options.given.insert(.sendEnv)
        }
    }

    mutating func setEnv() throws(Stop) {
        var assignments: [Bytes] = []
        while let argument = next() {
            guard let equals = argument.firstIndex(of: UInt8(ascii: "=")) else {
                throw .line("Invalid SetEnv.")
            }
            // Of two with one name the first counts.
            let name = argument[...equals]
            if !assignments.contains(where: { $0.starts(with: name) }) {
                assignments.append(argument)
            }
        }
        if !assignments.isEmpty {
            assign(.setEnv, \.setEnv, assignments.map { LosslessText.string($0) })
        }
    }

    mutating func controlPersist() throws(Stop) {
        let argument = try next(otherwise: "Missing ControlPersist argument.")
        let value: ControlPersist
        if argument.isExactly("no") || argument.isExactly("false") {
            value = .no
        } else if argument.isExactly("yes") || argument.isExactly("true") {
            value = .forever
        } else if let seconds = Numbers.seconds(argument) {
            value = seconds == 0 ? .forever : .idle(seconds: seconds)
        } else {
            throw .line("Bad ControlPersist argument.")
        }
        assign(.controlPersist, \.controlPersist, value)
    }
}

extension Draft {
    /// Adds a key or certificate file unless it is there already from the same origin.
    /// - Returns: false when there are too many.
    mutating func add(
        _ file: IdentityPath,
        _ keyword: Keyword,
        _ place: WritableKeyPath<Options, [IdentityPath]>
    ) -> Bool {
        var files = has(keyword) ? options[keyPath: place] : []
        if files.count >= ConfigParser.mostFiles { return false }
        if !files.contains(file) { files.append(file) }
        put(keyword, place, files)
        return true
    }
}

extension Bool {
    /// Reads yes, no, true or false.
    ///
    /// C: `multistate_flag`.
    init?(word: Bytes) {
        if word.isWord("yes") || word.isWord("true") {
            self = true
        } else if word.isWord("no") || word.isWord("false") {
            self = false
        } else {
            return nil
        }
    }
}

/// Escape characters as the user writes them.
enum EscapeText {
    /// Reads a character or `^` and a letter; `none` is for the caller.
    static func byte(_ text: Bytes) -> UInt8? {
        if text.count == 1 { return text.first }
        guard text.count == 2, text.first == UInt8(ascii: "^"), let letter = text.last,
            (64..<128).contains(letter)
        else { return nil }
        return letter & 31
    }
}
