extension Options {
    /// Tells whether SendEnv passes an environment variable on.
    /// - Parameter name: the variable's name.
    /// - Returns: true when one of SendEnv's patterns matches it.
    public func sends(variable name: String) -> Bool {
        let name = Array(name.utf8)[...]
        return sendEnv.contains { Patterns.matches(name, Array($0.utf8)[...]) }
    }

    /// SetEnv's variables, in the order given.
    public var setVariables: [(name: String, value: String)] {
        setEnv.compactMap { entry in
            guard let equals = entry.firstIndex(of: "=") else { return nil }
            return (String(entry[..<equals]), String(entry[entry.index(after: equals)...]))
        }
    }
}
