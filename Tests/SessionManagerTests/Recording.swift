import Foundation
import JSONText

@testable import SessionManager

/// A session recorded between the agent and the client (`Tests/Vectors/ssm`).
struct Recording {
    struct Line {
        let session: String
        let sender: String
        let text: String?
        let frame: [UInt8]?
    }

    let lines: [Line]

    init(_ name: String) throws {
        let here = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let file = here.deletingLastPathComponent().appendingPathComponent("Vectors/ssm/\(name)")
        lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map {
            let json = try JSON.parse(Array($0.utf8))
            return Line(
                session: json["session"]?.string ?? "",
                sender: json["sender"]?.string ?? "",
                text: json["text"]?.string,
                frame: json["frame"]?.string.map(bytes)
            )
        }
    }

    /// The frames of one side of one session.
    func frames(from sender: String, in session: String) -> [[UInt8]] {
        lines.filter { $0.sender == sender && $0.session == session }.compactMap(\.frame)
    }

    /// The sessions, in the order they begin.
    var sessions: [String] {
        lines.reduce(into: []) { if !$0.contains($1.session) { $0.append($1.session) } }
    }
}

private func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count - 1, by: 2).compactMap {
        UInt8(String(digits[$0...($0 + 1)]), radix: 16)
    }
}
