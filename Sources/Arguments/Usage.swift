public import Faults

/// Says what is wrong with a command line, in ssh's words, with the usage text where ssh gives it.
public struct UsageFault: Fault, Equatable {
    /// The lines to print.
    public let lines: [String]
    /// The exit status, nearly always 255.
    public let status: Int32

    /// Always ``Layer/usage``.
    public var layer: Layer { .usage }
    /// The first line.
    public var summary: String { lines.first ?? "bad command line" }
    /// Scripts read these as ssh's.
    public var words: [String]? { lines }

    /// Says one thing, without the usage text.
    /// - Parameters:
    ///   - lines: whole lines as ssh prints them.
    ///   - status: the exit status.
    public init(_ lines: [String], status: Int32 = 255) {
        self.lines = lines
        self.status = status
    }

    /// Shows the usage text.
    /// - Parameters:
    ///   - invocation: tells which name and verbs to show.
    ///   - reason: a line to print before it.
    public init(_ invocation: Invocation, reason: String? = nil) {
        self.init((reason.map { [$0] } ?? []) + Usage.lines(invocation.name))
    }

    /// Shows what stopped the reading, and the usage text.
    /// - Parameters:
    ///   - complaint: what stopped it.
    ///   - invocation: tells which name and verbs to show.
    public init(_ complaint: Complaint, in invocation: Invocation) {
        let reason =
            switch complaint {
            // getopt's complaint goes through ssh's log, which ends lines in CR LF.
            case .unknownFlag(let letter): "unknown option -- \(letter)\r"
            case .missingValue(let flag): "option requires an argument -- \(flag.rawValue)\r"
            }
        self.init(invocation, reason: reason)
    }
}

/// Makes the usage text.
///
/// It never says "Usage:" with a capital U: ansible takes that for an old ssh.
public enum Usage {
    /// Makes the usage text; verbs are left out under the name `ssh`, where there are none.
    /// - Parameter name: the name we were called by.
    /// - Returns: its lines.
    public static func lines(_ name: String) -> [String] {
        var lines = folded(name)
        if name != "ssh" {
            for verb in Verb.allCases {
                lines.append("       \(name) \(verb.rawValue) [options] \(verb.synopsis)")
            }
        }
        return lines
    }

    /// Flags with which ssh begins a new line.
    private static let lineBreaks: Set<Flag> = [
        .bindAddress, .logFile, .identityFile, .loginName, .query, .tunnel,
    ]

    /// ssh's own synopsis, made from the flag table.
    private static func folded(_ name: String) -> [String] {
        let hidden: Set<Flag> = [.protocol1, .protocol2, .ignoredPrivilegedPort]
        let shown = Flag.table.filter { !hidden.contains($0.flag) }
        let plain = shown.filter { $0.value == nil }.map { String($0.flag.rawValue) }
        var lines: [String] = []
        var line = "usage: \(name) [-\(plain.joined())]"
        for row in shown {
            guard let value = row.value else { continue }
            if lineBreaks.contains(row.flag) {
                lines.append(line)
                line = String(repeating: " ", count: 10)
            }
            line += " [-\(row.flag.rawValue) \(value)]"
        }
        line += " destination [command [argument ...]]"
        return lines + [line]
    }
}
