internal import Faults

/// Says what went wrong between a client and a master, in OpenSSH's words.
struct MuxFault: Fault {
    let line: String

    /// - Parameter line: what `ssh` prints, mux.c's own words.
    init(_ line: String) { self.line = line }

    var layer: Layer { .local }
    var summary: String { line }
    var words: [String]? { [line] }
}
