internal import AWS
internal import Faults
internal import JSONText

/// What `ec2sh list` prints.
public enum InstanceTable {
    /// Chooses instances by a pattern.
    /// - Parameters:
    ///   - pattern: with `*` or `?` for the whole name, id or address; else a part of one. Case
    ///     does not matter. Nil takes all.
    ///   - instances: all of them.
    /// - Returns: those that fit, by name, then by id.
    public static func select(
        _ pattern: String?,
        from instances: [KnownInstance]
    ) -> [KnownInstance] {
        let wanted = pattern?.lowercased()
        let fitting = instances.filter { known in
            guard let wanted else { return true }
            return words(of: known).contains { fits($0.lowercased(), wanted) }
        }
        return fitting.sorted {
            ($0.instance.name ?? "\u{10ffff}", $0.instance.id)
                < ($1.instance.name ?? "\u{10ffff}", $1.instance.id)
        }
    }

    private static func fits(_ word: String, _ pattern: String) -> Bool {
        pattern.contains { $0 == "*" || $0 == "?" }
            ? matchesPattern(pattern, word) : word.utf8.contains(pattern.utf8)
    }

    private static func words(of known: KnownInstance) -> [String] {
        let instance = known.instance
        let texts = [
            instance.id, instance.name, instance.publicAddress, instance.privateAddress,
            instance.publicName, instance.privateName,
        ]
        return texts.compactMap { $0 } + instance.ipv6Addresses + instance.otherAddresses
    }

    /// The table for people: a line of headings, then one line for each instance.
    /// - Parameters:
    ///   - instances: in the order they are to stand.
    ///   - user: gives the name to log in with, if it is known.
    /// - Returns: lines without line ends; what could move a terminal's cursor is made visible.
    public static func lines(
        _ instances: [KnownInstance],
        user: (KnownInstance) -> String?
    ) -> [String] {
        let rows = instances.map { known in
            let instance = known.instance
            return [
                instance.id, instance.name, instance.state.rawValue, known.address,
                user(known), instance.keyName, known.images.first?.name ?? instance.imageID,
                known.region,
            ].map { shown($0 ?? "-") }
        }
        // A region that all share says nothing.
        let isOneRegion = Set(instances.map(\.region)).count < 2
        let columns = headings.count - (isOneRegion ? 1 : 0)
        let table = ([headings] + rows).map { $0.prefix(columns) }
        let widths = (0..<columns).map { column in
            table.map { cells(in: $0[column]) }.max() ?? 0
        }
        return table.map { row in
            zip(row, widths).enumerated().map { place, cell in
                let (text, width) = cell
                let isLast = place == columns - 1
                return isLast ? text : text + spaces(width - cells(in: text))
            }
            .joined(separator: "  ")
        }
    }

    private static let headings = [
        "ID", "NAME", "STATE", "ADDRESS", "USER", "KEY", "IMAGE", "REGION",
    ]

    /// The list for programs: one array, one line for each instance.
    /// - Parameters:
    ///   - instances: in the order they are to stand.
    ///   - user: gives the name to log in with, if it is known.
    /// - Returns: the text with its line end.
    public static func json(
        _ instances: [KnownInstance],
        user: (KnownInstance) -> String?
    )
        -> String
    {
        let rows = instances.map { known in
            guard case .object(var members) = known.json.value else { return known.json.text }
            if let user = user(known) {
                members.insert((name: "user", value: JSON(.string(user))), at: 1)
            }
            return withoutControls(JSON(.object(members)).text)
        }
        return rows.isEmpty ? "[]\n" : "[\n" + rows.joined(separator: ",\n") + "\n]\n"
    }

    /// JSON lets DEL and the controls from U+0080 stand as they are; terminals act on them.
    private static func withoutControls(_ json: String) -> String {
        var text = ""
        for scalar in json.unicodeScalars {
            if (0x7f..<0xa0).contains(scalar.value) {
                text += "\\u00" + String(scalar.value, radix: 16)
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

/// A text that stays on its line: controls and what turns the direction of writing as octal digits.
private func shown(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse:
            for byte in Array(String(scalar).utf8) {
                result += "\\" + [byte >> 6, byte >> 3 & 7, byte & 7].map(String.init).joined()
            }
        default:
            result += scalar == "\\" ? "\\\\" : String(scalar)
        }
    }
    return result
}

private func spaces(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }

/// The cells of a terminal that a text takes (UAX #11, with what terminals do).
private func cells(in text: String) -> Int {
    text.unicodeScalars.reduce(0) { sum, scalar in
        switch scalar.properties.generalCategory {
        case .nonspacingMark, .enclosingMark: return sum
        default: return sum + (wide.contains { $0.contains(scalar.value) } ? 2 : 1)
        }
    }
}

/// Where East Asian Width is W or F, in large steps.
private let wide: [ClosedRange<UInt32>] = [
    0x1100...0x115f, 0x2e80...0x303e, 0x3041...0xa4cf, 0xac00...0xd7a3, 0xf900...0xfaff,
    0xfe30...0xfe6f, 0xff00...0xff60, 0xffe0...0xffe6, 0x1f300...0x1f64f, 0x1f900...0x1f9ff,
    0x20000...0x3fffd,
]
