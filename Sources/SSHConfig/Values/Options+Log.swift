extension Options {
    /// Whether LogVerbose asks for all messages of one of OpenSSH's source files.
    ///
    /// Its patterns are of `file:function():line`; functions and lines are OpenSSH's own, so that a
    /// pattern counts by its file alone.
    /// - Parameter file: a file's name, such as `kex.c`.
    /// - Returns: whether a pattern names it.
    public func logsAll(ofFile file: String) -> Bool {
        logVerbose.contains { list in
            let files = list.split(separator: ",").map { pattern in
                String(pattern.prefix { $0 != ":" })
            }
            let names = LosslessText.bytes(files.joined(separator: ","))
            return Patterns.judge(LosslessText.bytes(file), names) == .match
        }
    }
}
