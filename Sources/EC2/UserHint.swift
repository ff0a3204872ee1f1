/// Finds the name of the right user in what a server says to the wrong one.
///
/// cloud-init gives root, and other accounts that are not to be used, a forced command that prints
/// `Please login as the user "ubuntu" rather than the user "root".`, waits and ends with 142
/// (cc_ssh.py and ssh_util.py, DISABLE_USER_OPTS). Before 2011 it was
/// `Please login as the ubuntu user rather than root user.`
public enum UserHint {
    /// Reads a server's words.
    /// - Parameter output: what came on standard output or as a banner; only its start is read.
    /// - Returns: the name; nil when there is none, such as `NONE` where the image has no user.
    public static func user(in output: some Sequence<UInt8>) -> String? {
        let text = String(decoding: Array(output.prefix(mostBytes)), as: UTF8.self)
        guard let start = find(opening, in: text[...]) else { return nil }
        var rest = text[start...]
        rest.take("the ")
        rest.take("user ")
        let isQuoted = rest.take("\"")
        let name = rest.prefix { UserName.isPlausible("x\($0)") }
        rest = rest.dropFirst(name.count)
        if isQuoted, !rest.take("\"") { return nil }
        rest.take(" user")
        guard rest.hasPrefix(" rather than"), UserName.isPlausible(name), name != "NONE" else {
            return nil
        }
        return String(name)
    }

    /// The place behind the words, whatever the case of their first letter.
    private static func find(_ words: String, in text: Substring) -> Substring.Index? {
        var rest = text
        while !rest.isEmpty {
            if rest.hasPrefix(words) { return rest.index(rest.startIndex, offsetBy: words.count) }
            rest = rest.dropFirst()
        }
        return nil
    }

    private static let opening = "lease login as "
    /// A banner may hold a screen of law before it.
    private static let mostBytes = 8192
}

extension Substring {
    @discardableResult
    fileprivate mutating func take(_ word: String) -> Bool {
        guard hasPrefix(word) else { return false }
        self = dropFirst(word.count)
        return true
    }
}
