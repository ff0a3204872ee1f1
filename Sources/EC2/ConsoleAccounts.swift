internal import Faults

/// The accounts that an instance has named on its console, with the keys that open them.
///
/// cloud-init prints a table for each account it sets up (cc_ssh_authkey_fingerprints.py), so that
/// the console tells the user and the key, where nobody may ask for the image or the key pair:
///
///     ci-info: ++++Authorized keys from /home/ubuntu/.ssh/authorized_keys for user ubuntu++++
///     ci-info: +---------+-------------------------+---------+---------+
///     ci-info: | Keytype |   Fingerprint (sha256)  | Options | Comment |
///     ci-info: +---------+-------------------------+---------+---------+
///     ci-info: | ssh-rsa | 7f:fa:ab:… (32 pairs)   |    -    |  my-key |
///     ci-info: +---------+-------------------------+---------+---------+
public struct ConsoleAccounts: Sendable, Equatable {
    /// One account.
    public struct Account: Sendable, Equatable {
        /// The user's name.
        public let user: String
        /// SHA-256 of each key that opens it, in SSH's encoding.
        public fileprivate(set) var keys: [[UInt8]] = []
    }

    /// In the order printed, cloud-init's default user first; only those that a key opens.
    public let accounts: [Account]

    /// The users' names.
    public var users: [String] { accounts.map(\.user) }

    /// What proves a key to be one of those.
    public var proofs: [KeyPairProof] {
        accounts.flatMap(\.keys).map { KeyPairProof(.sha256($0)) }
    }

    /// Reads a console's output.
    /// - Parameter output: as GetConsoleOutput gives it, decoded.
    public init(output: [UInt8]) {
        var found: [Account] = []
        for line in consoleLines(output) where line.hasPrefix(prefix) {
            let text = line.dropFirst(prefix.count)
            if text.hasPrefix("++") || text.hasPrefix("no authorized SSH keys") {
                // A heading of another table closes the one before it.
                found.append(Account(user: user(inHeading: text) ?? ""))
            } else if let key = key(inRow: text), let last = found.indices.last,
                found[last].keys.count < mostKeys
            {
                found[last].keys.append(key)
            }
        }
        accounts = found.reduce(into: []) { accounts, account in
            let isKnown = accounts.contains { $0.user == account.user }
            guard !account.user.isEmpty, !account.keys.isEmpty, !isKnown,
                accounts.count < mostAccounts
            else { return }
            accounts.append(account)
        }
    }
}

private let prefix = "ci-info: "
private let mostAccounts = 16
private let mostKeys = 64

/// The name at the end of `++++Authorized keys from PATH for user NAME++++`.
private func user(inHeading text: Substring) -> String? {
    let words = text.split(separator: " ")
    guard words.count >= 7, words[0].drop(while: { $0 == "+" }) == "Authorized",
        words[1...2].elementsEqual(["keys", "from"]),
        words.dropLast().suffix(2).elementsEqual(["for", "user"]), let last = words.last
    else { return nil }
    let name = last.prefix { $0 != "+" }
    let isWhole = last[name.endIndex...].allSatisfy { $0 == "+" }
    return isWhole && UserName.isPlausible(name) ? String(name) : nil
}

/// The hash in `| KIND | 32 pairs of digits | OPTIONS | COMMENT |`; nil where the options do not
/// let one in but run a command.
private func key(inRow text: Substring) -> [UInt8]? {
    let cells = text.split(separator: "|").map { $0.filter { $0 != " " } }
    guard cells.count >= 3, cells[0].hasPrefix("ssh-") || cells[0].hasPrefix("ecdsa-"),
        !cells[2].contains("command=")
    else { return nil }
    let pairs = cells[1].split(separator: ":")
    let bytes = pairs.compactMap { $0.utf8.count == 2 ? UInt8($0, radix: 16) : nil }
    return pairs.count == 32 && bytes.count == 32 ? bytes : nil
}
