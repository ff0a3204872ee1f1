/// Replaces `%x`, `${NAME}` and `~` in values, as C: `vdollar_percent_expand` and `tilde_expand`.
struct Expansion {
    /// Why an expansion failed: the lines ssh would say, the last of them fatal.
    struct Failure: Error, Equatable {
        /// Lines said before the last.
        var lines: [String]
        /// The variable has no value, which is for the caller to judge.
        var isMissingVariable = false
    }

    /// What `%x` stands for, nil where `%` is nothing special.
    var tokens: ((UInt8) -> String?)?
    /// The value of an environment variable, nil where `${` is nothing special.
    var variable: ((String) -> String?)?

    /// Expands a text.
    /// - Throws: ``Failure``; a variable without value is told only after the whole text was read.
    func callAsFunction(_ text: String) throws(Failure) -> String {
        if !text.utf8.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "$") }) {
            return text
        }
        var rest = LosslessText.bytes(text)[...]
        var expanded = Bytes()
        var missing: [String] = []
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "$"), rest.first == UInt8(ascii: "{"), let variable {
                let body = rest.dropFirst()
                let name = try name(body)
                rest = body.dropFirst(name.count + 1)
                let text = LosslessText.string(name)
                if let value = variable(text) {
                    expanded += LosslessText.bytes(value)
                } else {
                    missing.append("vdollar_percent_expand: env var ${\(text)} has no value")
                }
            } else if byte == UInt8(ascii: "%"), let tokens {
                expanded += try replacement(rest.popFirst(), tokens)
            } else {
                expanded.append(byte)
            }
        }
        if !missing.isEmpty { throw Failure(lines: missing, isMissingVariable: true) }
        return LosslessText.string(expanded)
    }

    private func name(_ body: ArraySlice<UInt8>) throws(Failure) -> ArraySlice<UInt8> {
        guard let end = body.firstIndex(of: UInt8(ascii: "}")) else {
            throw Failure(lines: [
                "vdollar_percent_expand: environment variable '\(LosslessText.string(body))' "
                    + "missing closing '}'"
            ])
        }
        guard end > body.startIndex else {
            throw Failure(lines: ["vdollar_percent_expand: zero-length environment variable"])
        }
        return body[..<end]
    }

    private func replacement(
        _ letter: UInt8?,
        _ tokens: (UInt8) -> String?
    ) throws(Failure) -> Bytes {
        guard let letter else {
            throw Failure(lines: ["vdollar_percent_expand: invalid format"])
        }
        if letter == UInt8(ascii: "%") { return [letter] }
        guard let value = tokens(letter) else {
            throw Failure(lines: [
                "vdollar_percent_expand: unknown key %\(LosslessText.string([letter]))"
            ])
        }
        return LosslessText.bytes(value)
    }
}

/// Replaces `~` and `~user` at the beginning of a path.
///
/// C: `tilde_expand` in `misc.c`.
/// - Parameters:
///   - path: any path.
///   - home: the caller's home directory, from the user database.
///   - homeOf: another user's.
/// - Returns: the path.
/// - Throws: ``Expansion/Failure`` for a user there is not.
func expandTilde(
    _ path: String,
    home: String,
    homeOf: (String) -> String?
) throws(Expansion.Failure) -> String {
    guard path.utf8.first == UInt8(ascii: "~") else { return path }
    let afterTilde = path.utf8.dropFirst()
    let name = afterTilde.prefix { $0 != UInt8(ascii: "/") }
    let rest = afterTilde[name.endIndex...].drop { $0 == UInt8(ascii: "/") }
    var directory = home
    if !name.isEmpty {
        let user = String(Substring(name))
        guard let found = homeOf(user) else {
            throw Expansion.Failure(lines: ["tilde_expand: No such user \(user)"])
        }
        directory = found
    }
    if directory.utf8.last != UInt8(ascii: "/") { directory += "/" }
    let expanded = directory + String(Substring(rest))
    // C: PATH_MAX.
    guard expanded.utf8.count < 4_096 else {
        throw Expansion.Failure(lines: ["tilde_expand: Path too long"])
    }
    return expanded
}
