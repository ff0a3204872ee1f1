internal import Faults

// Forwards, and keywords of ours: those whose lines have rules of their own.

extension ConfigParser {
    /// A specification is cut to this length before it is read; C: `fwdarg`.
    private var longestForward: Int { 255 }

    mutating func forward(_ kind: ForwardText.Kind) throws(Stop) {
        var kind = kind
        var text = try next(otherwise: "Missing argument.")
        if kind != .dynamic {
            if let target = next(), !target.isEmpty {
                text += [UInt8(ascii: ":")] + target
            } else if kind == .remote {
                kind = .remoteDynamic
            } else {
                throw .line("Missing target argument.")
            }
        }
        let cut = Bytes(text.prefix(longestForward))
        guard let forward = expandVariables(cut).flatMap({ read($0, kind) }) else {
            throw .line("Bad forwarding specification.")
        }
        guard isActive else { return }
        draft.add(forward, isRemote: kind.isRemote)
        draft.options.given.insert(keyword(for: kind))
    }

    private func read(_ text: Bytes, _ kind: ForwardText.Kind) -> Forward? {
        ForwardText.read(text, kind, environment.servicePort)
    }

    private func keyword(for kind: ForwardText.Kind) -> Keyword {
        switch kind {
        case .local: .localForward
        case .dynamic: .dynamicForward
        case .remote, .remoteDynamic: .remoteForward
        }
    }

    mutating func permitRemoteOpen() throws(Stop) {
        var targets: [String] = []
        while let argument = next() {
            if argument.isWord("none") || argument.isWord("any") {
                if !targets.isEmpty || !arguments.isEmpty {
                    throw .line(
                        "keyword \(keyword) \"\(LosslessText.string(argument))\" argument must "
                            + "appear alone."
                    )
                }
            } else {
                try checkTarget(argument)
            }
            targets.append(LosslessText.string(argument))
        }
        if targets.isEmpty { throw fatalHere("missing permitremoteopen specification") }
        assign(.permitRemoteOpen, \.permitRemoteOpen, targets)
    }

    private func checkTarget(_ argument: Bytes) throws(Stop) {
        guard let field = HostField(argument[...]), field.delimiter != UInt8(ascii: "/") else {
            throw fatalHere("missing host in permitremoteopen")
        }
        let port = Numbers.port(field.rest, environment.servicePort) ?? -1
        if field.delimiter == nil || !field.rest.isExactly("*") && port <= 0 {
            throw fatalHere("bad port number in permitremoteopen")
        }
    }

    private func fatalHere(_ reason: String) -> Stop {
        .fatal(ConfigurationFault("\(file) line \(lineNumber): \(reason)"))
    }

    mutating func streamLocalBindMask() throws(Stop) {
        let argument = try next(otherwise: "Missing StreamLocalBindMask argument.")
        guard let (number, _) = Numbers.leadingNumber(argument[...], base: 8),
            case let mask = Int32(truncatingIfNeeded: number), (0...0o777).contains(mask)
        else { throw .line("Bad mask.") }
        // OpenSSH lets the last one win, in whatever block.
        draft.put(.streamLocalBindMask, \.streamLocalBindMask, Int(mask))
    }

    mutating func tunnelDevice() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        guard let device = TunnelDevice.read(argument) else { throw .line("Bad tun device.") }
        assign(.tunnelDevice, \.tunnelDevice, device)
    }
}

// MARK: Ours

extension ConfigParser {
    /// Takes words separated by commas or blanks.
    mutating func commaList() throws(Stop) -> [Bytes] {
        var words: [Bytes] = []
        while let argument = next() {
            words += argument.parts(",").filter { !$0.isEmpty }.map { Bytes($0) }
        }
        if words.isEmpty { throw .line("Missing argument.") }
        return words
    }

    mutating func ec2Ways() throws(Stop) {
        var ways: [WayName] = []
        for word in try commaList() {
            guard let way = WayName.words.first(where: { word.isWord($0.word) })?.value else {
                throw .line("unsupported option \"\(LosslessText.string(word))\".")
            }
            if !ways.contains(way) { ways.append(way) }
        }
        assign(.ec2Ways, \.ec2Ways, ways)
    }

    mutating func resumeBuffer() throws(Stop) {
        let argument = try next(otherwise: "Missing argument.")
        do throws(Numbers.SizeProblem) {
            let size = try Numbers.size(argument)
            if size < 0 { throw .invalid }
            assign(.resumeBuffer, \.resumeBuffer, Int(size))
        } catch {
            throw .line("Bad number '\(LosslessText.string(argument))': \(error.rawValue)")
        }
    }
}

extension Draft {
    /// Adds a forward unless it is there already.
    mutating func add(_ forward: Forward, isRemote: Bool) {
        if isRemote {
            if !options.remoteForward.contains(forward) { options.remoteForward.append(forward) }
        } else if !options.localForwards.contains(forward) {
            options.localForwards.append(forward)
        }
    }
}

extension TunnelDevice {
    /// Reads `local:remote` or `local`, numbers or `any`.
    ///
    /// C: `a2tun` in `misc.c`.
    static func read(_ text: Bytes) -> TunnelDevice? {
        let colon = text.firstIndex(of: UInt8(ascii: ":")) ?? text.endIndex
        guard let local = unit(text[..<colon]) else { return nil }
        guard colon < text.endIndex else { return TunnelDevice(local: local, remote: nil) }
        guard let remote = unit(text[(colon + 1)...]) else { return nil }
        return TunnelDevice(local: local, remote: remote)
    }

    /// Units up to this exist; C: `SSH_TUNID_MAX`.
    private static let largestUnit = 0x7fff_fffd

    /// - Returns: nil for what is no unit, nil inside for any.
    private static func unit(_ text: ArraySlice<UInt8>) -> Int?? {
        if text.isWord("any") { return .some(nil) }
        guard case .number(let unit) = Numbers.whole(text, 0...largestUnit) else { return nil }
        return .some(unit)
    }
}

extension QualityOfService {
    /// C: `ipqos` in `misc.c`; `none` is not in it, it stands for nil.
    private static let names: [(word: String, value: UInt8)] = [
        ("af11", 0x28), ("af12", 0x30), ("af13", 0x38), ("af21", 0x48), ("af22", 0x50),
        ("af23", 0x58), ("af31", 0x68), ("af32", 0x70), ("af33", 0x78), ("af41", 0x88),
        ("af42", 0x90), ("af43", 0x98), ("cs0", 0x00), ("cs1", 0x20), ("cs2", 0x40),
        ("cs3", 0x60), ("cs4", 0x80), ("cs5", 0xa0), ("cs6", 0xc0), ("cs7", 0xe0), ("ef", 0xb8),
        ("le", 0x04), ("lowdelay", 0x10), ("throughput", 0x08), ("reliability", 0x04),
    ]

    /// Reads a name or a number in any base.
    ///
    /// C: `parse_ipqos`.
    /// - Returns: nil for what is none, nil inside for `none`.
    static func read(_ text: Bytes) -> UInt8?? {
        if text.isWord("none") { return .some(nil) }
        if let named = names.first(where: { text.isWord($0.word) }) { return .some(named.value) }
        guard let (number, rest) = Numbers.anyBase(text[...]), rest.isEmpty,
            let value = UInt8(exactly: number)
        else { return nil }
        return .some(value)
    }

    /// Writes a value as `-G` does.
    ///
    /// C: `iptos2str`.
    static func text(_ value: UInt8?) -> String {
        guard let value else { return "none" }
        if let named = names.first(where: { $0.value == value }) { return named.word }
        let digits = String(value, radix: 16)
        return "0x" + (digits.utf8.count < 2 ? "0" : "") + digits
    }
}
