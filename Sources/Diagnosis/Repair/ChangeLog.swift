internal import JSONText
internal import Posix

/// What `ec2sh fix` has changed, so that it can be taken back: lines of JSON in
/// `$XDG_STATE_HOME/ec2sh/changes.jsonl`.
///
///     {"id": "…", "time": 1767225600, "host": "web", "change": {"kind": "allow", …}}
///     {"undone": "…", "time": 1767225700}
struct ChangeLog {
    /// A change that was made.
    struct Entry: Sendable, Equatable {
        let id: String
        let host: String
        let change: Change
    }

    private let directory: String
    private var path: String { "\(directory)/changes.jsonl" }

    /// Finds the place by the XDG base directory specification.
    init(environment: [String: String], home: String) {
        let base = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        directory = (base ?? "\(home)/.local/state") + "/ec2sh"
    }

    /// Writes down what is about to be done.
    /// - Returns: the entry.
    /// - Throws: ``Posix/SystemError``.
    func record(_ change: Change, host: String) throws(SystemError) -> Entry {
        let number = UInt64.random(in: 0 ... .max)
        let entry = Entry(id: String(number, radix: 16), host: host, change: change)
        try append([
            ("id", JSON(.string(entry.id))), ("host", JSON(.string(host))),
            ("change", change.json),
        ])
        return entry
    }

    /// Writes down that a change is there no more, or has never come to be.
    /// - Throws: ``Posix/SystemError``.
    func markUndone(_ entry: Entry) throws(SystemError) {
        try append([("undone", JSON(.string(entry.id)))])
    }

    /// The changes that are there, the newest first.
    /// - Parameter host: whose; nil for all.
    /// - Returns: empty when there is no record.
    /// - Throws: ``Posix/SystemError`` for a record that cannot be read.
    func open(host: String?) throws(SystemError) -> [Entry] {
        var entries: [Entry] = []
        for line in try lines() {
            if let id = line["undone"]?.string { entries.removeAll { $0.id == id } }
            guard let id = line["id"]?.string, let name = line["host"]?.string,
                let change = line["change"].flatMap(Change.init(json:))
            else { continue }
            entries.append(Entry(id: id, host: name, change: change))
        }
        return entries.filter { host == nil || $0.host == host }.reversed()
    }

    private func lines() throws(SystemError) -> [JSON] {
        let bytes: [UInt8]
        do throws(SystemError) {
            bytes = try readFile(path, limit: 16 << 20).bytes
        } catch {
            if error.isNotFound { return [] }
            throw error
        }
        return bytes.split(separator: UInt8(ascii: "\n")).compactMap { try? JSON.parse(Array($0)) }
    }

    private func append(_ members: [(name: String, value: JSON)]) throws(SystemError) {
        try makePrivateDirectory(directory)
        let time = (name: "time", value: JSON(.number(Double(readWallClock()))))
        let line = Array((JSON(.object(members + [time])).text + "\n").utf8)
        // What a full disk has cut off stays a line of its own.
        try appendToFile(path) { last in
            (last.map { $0 != UInt8(ascii: "\n") } ?? false ? [UInt8(ascii: "\n")] : []) + line
        }
    }
}
