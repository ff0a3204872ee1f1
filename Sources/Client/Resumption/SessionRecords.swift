internal import Faults
internal import Posix

/// The records of the sessions that this machine has begun, a file for each, in a directory that is
/// ours alone: `$XDG_STATE_HOME/ec2sh/sessions`.
///
/// A client that has the session holds a lock on its file, so that what was left behind can be told
/// from what is in use. Nothing here ever fails a run.
struct SessionRecords {
    private let directory: String
    private let trace: Trace

    private static let largest = 64 << 10

    /// Finds the place by the XDG base directory specification.
    init(environment: [String: String], home: String, trace: Trace) {
        let base = environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        directory = (base ?? home + "/.local/state") + "/ec2sh/sessions"
        self.trace = trace
    }

    /// One session on record.
    struct Entry {
        let record: SessionRecord
        /// Whether a client on this machine has it now.
        let isHeld: Bool
    }

    /// All that are on record, the oldest first.
    func all() -> [Entry] {
        let found = (try? names(inDirectory: directory)) ?? []
        return found.filter(SessionRecord.isID).compactMap(entry).sorted {
            ($0.record.started, $0.record.id) < ($1.record.started, $1.record.id)
        }
    }

    private func entry(_ id: String) -> Entry? {
        do throws(SystemError) {
            let file = try openFile(path(id), .read, followingLinks: false)
            let facts = try fileFacts(of: file.number)
            guard facts.kind == .regular, facts.owner == User.effectiveID,
                !facts.isWritableByOthers,
                let bytes = try readToEnd(file.number, limit: SessionRecords.largest),
                let record = SessionRecord(bytes), record.id == id
            else { return nil }
            if case .done = try tryLock(file.number) {
                return Entry(record: record, isHeld: false)
            }
            return Entry(record: record, isHeld: true)
        } catch {
            return nil
        }
    }

    /// Puts a session on record, in the place of what was there of it.
    /// - Returns: what is to be kept as long as the session is; nil when it could not be.
    func add(_ record: SessionRecord) -> SessionMark? {
        do throws(SystemError) {
            try makePrivateDirectory(directory)
            let path = path(record.id)
            // Another client that has had it keeps the lock of a file without a name.
            do throws(SystemError) { try removeFile(path) } catch {
                if !error.isNotFound { throw error }
            }
            // Not forced to the disk: that would be felt, and what is lost with the power is a help.
            let file = try openFile(path, .create, followingLinks: false)
            try lock(file.number)
            try writeAll(file.number, Array(record.text.utf8))
            return SessionMark(path: path, file: file)
        } catch {
            trace.debug(.debug1, .local, "the session is not on record: \(error.summary)")
            return nil
        }
    }

    /// Forgets a session.
    func remove(_ id: String) { try? removeFile(path(id)) }

    private func path(_ id: String) -> String { "\(directory)/\(id)" }
}

/// A session's record while this client has the session.
final class SessionMark {
    private let path: String
    private let file: Descriptor

    init(path: String, file: consuming Descriptor) {
        self.path = path
        self.file = file
    }

    /// The session is over.
    func remove() { try? removeFile(path) }
}
