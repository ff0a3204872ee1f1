internal import Arguments
internal import Posix

/// Puts the sessions of one run on record.
struct SessionKeeper {
    private let records: SessionRecords
    private let invocation: Invocation

    /// - Parameters:
    ///   - records: where to.
    ///   - invocation: what was typed to begin them.
    init(_ records: SessionRecords, _ invocation: Invocation) {
        self.records = records
        self.invocation = invocation
    }

    /// Puts a session on record that runs on the host now.
    /// - Parameters:
    ///   - id: its id.
    ///   - task: what it runs.
    /// - Returns: what is to be kept as long as this client has it.
    func begin(_ id: String, _ task: Plan.Task) -> SessionMark? {
        let command: String
        switch task {
        case .command(let bytes): command = String(decoding: bytes.prefix(1024), as: UTF8.self)
        case .subsystem(let name): command = String(decoding: name, as: UTF8.self)
        case .shell, .hold, .forward: command = ""
        }
        let record = SessionRecord(
            id: id,
            invocation,
            command: command,
            started: Int(readWallClock())
        )
        return records.add(record)
    }
}

extension SessionRecords {
    /// - Parameter context: what the run shares.
    init(of context: Context) {
        self.init(
            environment: context.environment,
            home: context.user.home,
            trace: context.trace
        )
    }
}
