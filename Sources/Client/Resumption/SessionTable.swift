internal import Faults
internal import JSONText
internal import Posix
internal import Resume

/// What `ec2sh attach` tells of a session, from the host or from what is on record here.
struct SessionRow {
    let id: String
    /// The destination to attach by, when the session is only known from its record.
    var destination: String?
    /// When it was begun, in seconds since 1970.
    let started: Int
    let state: String
    /// What it is, or runs.
    let task: String

    /// - Parameter listing: as the host told it.
    init(_ listing: ResumeListing) {
        id = listing.identity.description
        started = Int(clamping: listing.started)
        state =
            if listing.hasExited {
                "ended"
            } else if listing.isLost {
                "lost"
            } else {
                listing.isAttached ? "attached" : "detached"
            }
        let command = listing.command
        task =
            switch listing.kind {
            case .shell: "(shell)"
            case .command: command
            case .subsystem: "(subsystem \(command))"
            case .relay: "(connection)"
            case .forwards: "(forwards)"
            case nil: "(unknown)"
            }
    }

    /// - Parameter entry: as it is on record.
    init(_ entry: SessionRecords.Entry) {
        id = entry.record.id
        destination = entry.record.destination
        started = entry.record.started
        state = entry.isHeld ? "attached" : "detached"
        task = entry.record.command.isEmpty ? "(shell)" : entry.record.command
    }

    private func age(_ now: Int64) -> String {
        let seconds = max(0, Int(now) - started)
        return switch seconds {
        case ..<120: "\(seconds) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }

    /// The table for people.
    /// - Parameters:
    ///   - rows: in the order they are to stand.
    ///   - now: seconds since 1970.
    /// - Returns: a line of headings and a line for each, with their ends.
    static func text(_ rows: [SessionRow], now: Int64) -> String {
        let hasHosts = rows.contains { $0.destination != nil }
        let headings = ["ID"] + (hasHosts ? ["HOST"] : []) + ["AGE", "STATE", "COMMAND"]
        let table =
            [headings]
            + rows.map { row in
                [row.id] + (hasHosts ? [row.destination ?? "-"] : [])
                    + [row.age(now), row.state, row.task]
            }
            .map { $0.map { visible($0.utf8) } }
        let widths = headings.indices.map { column in table.map { $0[column].count }.max() ?? 0 }
        return table.map { row in
            row.indices.map { column in
                let blanks = column == row.count - 1 ? 0 : widths[column] - row[column].count
                return row[column] + String(repeating: " ", count: blanks)
            }
            .joined(separator: "  ") + "\n"
        }
        .joined()
    }

    /// The list for programs: one array.
    static func json(_ rows: [SessionRow]) -> String {
        let values = rows.map { row in
            JSON.object([
                "id": JSON(.string(row.id)),
                "destination": JSON(row.destination.map { .string($0) } ?? .null),
                "started": JSON(.number(Double(row.started))),
                "state": JSON(.string(row.state)),
                "command": JSON(.string(row.task)),
            ])
        }
        return JSON(.array(values)).text + "\n"
    }
}
