public import Faults
internal import JSONText
internal import Posix

/// Why a table of names cannot be used.
public struct UserTableError: Fault, Equatable {
    /// The file.
    public let path: String
    /// The line in it, from 1; nil when it could not even be read.
    public let line: Int?
    /// What is wrong there.
    public let reason: String

    /// Always ``Faults/Layer/configuration``.
    public var layer: Layer { .configuration }
    /// The place and the reason.
    public var summary: String {
        "\(path)\(line.map { " line \($0)" } ?? ""): \(reason)"
    }
    /// What such a file looks like.
    public var hint: Hint? {
        .advice(
            "the file looks like {\"default\": [\"ec2-user\"], \"banners\": [{\"banner\": "
                + "\"OpenSSH_* Ubuntu-*\", \"users\": [\"ubuntu\"]}]}; without it the names "
                + "ec2sh comes with are used"
        )
    }
}

extension UserTable {
    /// Reads the table ec2sh comes with, and the user's own before it.
    /// - Parameter userFile: the path of a file that need not be there; nil for none.
    /// - Returns: the table.
    /// - Throws: ``UserTableError`` when the user's own cannot be read or understood.
    public static func load(userFile: String?) throws(UserTableError) -> UserTable {
        let shipped = try parse(PackageResources.users_json, path: "users.json")
        guard let userFile, let bytes = try read(userFile) else { return shipped }
        return shipped.preceded(by: try parse(bytes, path: userFile))
    }

    /// Understands a table.
    /// - Parameters:
    ///   - bytes: JSON.
    ///   - path: what errors name.
    /// - Returns: the table.
    /// - Throws: ``UserTableError`` with the line.
    static func parse(_ bytes: [UInt8], path: String) throws(UserTableError) -> UserTable {
        do throws(JSONError) {
            return try UserTable(json: JSON.parse(bytes))
        } catch {
            throw UserTableError(path: path, line: error.line, reason: error.reason)
        }
    }

    private static func read(_ path: String) throws(UserTableError) -> [UInt8]? {
        do throws(SystemError) {
            return try readFile(path, limit: largestFile).bytes
        } catch {
            if error.isNotFound { return nil }
            throw UserTableError(path: path, line: nil, reason: error.reason)
        }
    }

    private init(json: JSON) throws(JSONError) {
        guard case .object(let members) = json.value else {
            throw JSONError(line: json.line, reason: "expected an object")
        }
        for (name, value) in members {
            switch name {
            case "about": break
            case "images": images = try readRows(value, Image.init(json:))
            case "banners": banners = try readRows(value, Banner.init(json:))
            case "default": defaults = try readUsers(value)
            default: throw JSONError(line: value.line, reason: "unknown member '\(name)'")
            }
        }
    }

    /// The shipped table has 12 KB.
    private static let largestFile = 1 << 20
}

extension UserTable.Image {
    fileprivate init(json: JSON) throws(JSONError) {
        names = try readTexts(json, "names")
        owners = json["owners"] == nil ? [] : try readTexts(json, "owners")
        users = try readUsers(json["users"], in: json)
    }
}

extension UserTable.Banner {
    fileprivate init(json: JSON) throws(JSONError) {
        guard let pattern = json["banner"]?.string else {
            throw JSONError(line: json.line, reason: "expected \"banner\": a text")
        }
        self.pattern = pattern
        users = try readUsers(json["users"], in: json)
    }
}

private func readRows<Row>(
    _ json: JSON,
    _ make: (JSON) throws(JSONError) -> Row
) throws(JSONError) -> [Row] {
    guard let array = json.array else {
        throw JSONError(line: json.line, reason: "expected a list of rows")
    }
    var rows: [Row] = []
    for row in array { rows.append(try make(row)) }
    return rows
}

private func readTexts(_ json: JSON, _ name: String) throws(JSONError) -> [String] {
    guard let member = json[name] else {
        throw JSONError(line: json.line, reason: "expected \"\(name)\": a list of texts")
    }
    return try readTexts(member)
}

private func readTexts(_ json: JSON) throws(JSONError) -> [String] {
    guard let array = json.array else {
        throw JSONError(line: json.line, reason: "expected a list of texts")
    }
    var texts: [String] = []
    for element in array {
        guard let text = element.string else {
            throw JSONError(line: element.line, reason: "expected a text")
        }
        texts.append(text)
    }
    return texts
}

private func readUsers(_ json: JSON?, in row: JSON) throws(JSONError) -> [String] {
    guard let json else {
        throw JSONError(line: row.line, reason: "expected \"users\": a list of texts")
    }
    return try readUsers(json)
}

/// Names that could be taken for something else are refused as on the command line.
private func readUsers(_ json: JSON) throws(JSONError) -> [String] {
    let names = try readTexts(json)
    for name in names where !UserName.isPlausible(name) {
        throw JSONError(line: json.line, reason: "'\(visible(name.utf8))' is no user name")
    }
    return names
}
