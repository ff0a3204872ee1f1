internal import Crypto
internal import Faults
internal import JSONText
internal import Posix

/// The AWS CLI's own cache of roles' keys, so that no code is asked twice and both tools share.
struct CredentialCache: Sendable {
    private let directory: String

    init(_ directory: String) { self.directory = directory }

    /// Keys that are good for a quarter of an hour at least.
    func credentials(_ key: String, at now: Timestamp) -> Credentials? {
        guard let json = read(key), let credentials = Credentials(json: json["Credentials"]),
            let end = credentials.expiration, end.seconds - now.seconds >= cacheMargin
        else { return nil }
        return credentials
    }

    /// What is in a file of the cache; nil for none, or for what is no JSON.
    func read(_ key: String) -> JSON? {
        guard let file = try? readFile("\(directory)/\(key).json", limit: 1 << 20) else {
            return nil
        }
        return try? JSON.parse(file.bytes)
    }

    /// Keeps keys for the next run; a cache that cannot be written is none.
    func store(_ role: AssumedRole, under key: String) {
        let keys = role.credentials
        // As Python's strftime writes UTC.
        var members: [(name: String, value: JSON)] = [
            ("AccessKeyId", JSON(.string(keys.accessKeyID))),
            ("SecretAccessKey", JSON(.string(keys.secretAccessKey))),
            ("SessionToken", JSON(.string(keys.sessionToken ?? ""))),
            ("Expiration", JSON(.string(keys.expiration?.iso(role.zone) ?? ""))),
        ]
        if let account = role.account { members.append(("AccountId", JSON(.string(account)))) }
        var file: [(name: String, value: JSON)] = [("Credentials", JSON(.object(members)))]
        if let type = role.type { file.insert(("ProviderType", JSON(.string(type))), at: 0) }
        write(key, JSON(.object(file)))
    }

    /// Writes a file of the cache, for us alone.
    func write(_ key: String, _ json: JSON) {
        do throws(SystemError) {
            try makePrivateDirectory(directory)
            try writeFileAtomically("\(directory)/\(key).json", Array(json.text.utf8))
        } catch {
            return
        }
    }
}

/// What taking a role gave.
struct AssumedRole: Sendable {
    var credentials: Credentials
    var account: String?
    /// How the CLI marks keys that did not come from STS.
    var type: String?
    /// How the end is written: `UTC`, or `Z` for single sign-on.
    var zone = "UTC"
}

extension Credentials {
    /// As in the CLI's cache, and as processes give them.
    init?(json: JSON?, token: String = "SessionToken") {
        guard let id = json?["AccessKeyId"]?.string, let secret = json?["SecretAccessKey"]?.string
        else { return nil }
        self.init(
            accessKeyID: id,
            secretAccessKey: secret,
            sessionToken: json?[token]?.string,
            expiration: json?["Expiration"]?.string.flatMap { Timestamp($0) }
        )
    }
}

/// Seconds before their end at which the CLI takes no keys from its cache.
private let cacheMargin: Int64 = 900

/// In hexadecimal digits, as names of cache files are.
func sha1(_ text: String) -> String { hex(Insecure.SHA1.hash(data: Array(text.utf8))) }

/// In hexadecimal digits.
func sha256(_ text: String) -> String { hex(SHA256.hash(data: Array(text.utf8))) }

/// A JSON text as Python writes it: ASCII only.
func pythonText(_ text: String) -> String {
    var quoted = "\""
    for unit in text.utf16 {
        switch unit {
        case 0x22: quoted += "\\\""
        case 0x5c: quoted += "\\\\"
        case 0x0a: quoted += "\\n"
        case 0x0d: quoted += "\\r"
        case 0x09: quoted += "\\t"
        case 0x08: quoted += "\\b"
        case 0x0c: quoted += "\\f"
        case 0x20..<0x7f: quoted.unicodeScalars.append(Unicode.Scalar(UInt8(unit)))
        case 0x7f: quoted += "\u{7f}"
        default:
            let digits = String(unit, radix: 16)
            quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
    }
    return quoted + "\""
}
