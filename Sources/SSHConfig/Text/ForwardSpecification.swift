/// Reads forwards that are typed while a session runs (escape `~C`), as flags are read.
public enum ForwardSpecification {
    /// Reads what follows `-L`, `-R` or `-D`.
    ///
    /// C: `parse_forward`, as `process_cmdline` calls it.
    /// - Parameters:
    ///   - text: the specification.
    ///   - flag: which flag it is for.
    ///   - environment: for `${}` and ports by name.
    /// - Returns: nil when it is none of that kind.
    public static func read(
        _ text: String,
        _ flag: OptionsResolver.ForwardFlag,
        _ environment: ConfigEnvironment
    ) -> Forward? {
        switch flag {
        case .local: read(text, kind: .local, environment)
        case .dynamic: read(text, kind: .dynamic, environment)
        case .remote:
            read(text, kind: .remote, environment) ?? read(text, kind: .remoteDynamic, environment)
        }
    }

    /// Reads what follows `-KL`, `-KR` or `-KD`: where the forward listens.
    /// - Parameters:
    ///   - text: `[bind:]port`, or a path.
    ///   - environment: for `${}` and ports by name.
    /// - Returns: nil when it is no such place.
    public static func readListener(
        _ text: String,
        _ environment: ConfigEnvironment
    ) -> Forward.Listener? {
        read(text, kind: .dynamic, environment)?.listener
    }

    private static func read(
        _ text: String,
        kind: ForwardText.Kind,
        _ environment: ConfigEnvironment
    ) -> Forward? {
        let expansion = Expansion(variable: environment.variable)
        guard let expanded = try? expansion(text) else { return nil }
        return ForwardText.read(LosslessText.bytes(expanded), kind, environment.servicePort)
    }
}
