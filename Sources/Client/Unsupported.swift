internal import Arguments
internal import Faults
internal import SSHConfig

/// What OpenSSH's client can and this one cannot.
///
/// Typed as a flag it ends the run, set by a keyword it is said once and the run goes on without
/// it: nothing is dropped silently.
struct Unsupported {
    /// One thing, by its flags, and how to tell that a file asks for it.
    fileprivate struct Row: Sendable {
        let name: String
        var flags: [Flag] = []
        /// Whether libssh leaves no way to it.
        var isImpossible = false
        let isSet: @Sendable (Options) -> Bool
    }

    private static let rows = [
        Row(name: "a tunnel device", flags: [.tunnel], isImpossible: true) { $0.tunnel != .no },
        Row(name: "HostbasedAuthentication", isImpossible: true) { $0.hostbasedAuthentication },
        Row(name: "GSSAPIKeyExchange", isImpossible: true) { $0.gssapiKeyExchange },
        Row(name: "UpdateHostKeys", isImpossible: true) {
            $0.isSet(.updateHostKeys) && $0.updateHostKeys != .no
        },
    ]

    /// Looks through a configuration.
    /// - Parameters:
    ///   - configuration: the command line and the files, made one.
    ///   - trace: told what a file asks for in vain.
    /// - Throws: ``NotYet`` for a flag that was typed.
    static func check(_ configuration: Configuration, trace: Trace) throws(NotYet) {
        for row in rows where row.isSet(configuration.options) || row.isTyped(configuration) {
            let notYet = NotYet(name: row.name, isImpossible: row.isImpossible)
            if row.isTyped(configuration), !row.isCleared(configuration) { throw notYet }
            if row.isSet(configuration.options) { trace.say(.info, "ec2sh: \(notYet.summary)") }
        }
    }
}

extension Unsupported.Row {
    fileprivate func isTyped(_ configuration: Configuration) -> Bool {
        flags.contains { configuration.invocation.has($0) }
    }

    /// A later option may have taken a typed flag back: `-a`, `-x`, ClearAllForwardings.
    fileprivate func isCleared(_ configuration: Configuration) -> Bool {
        configuration.controlCommand == nil && !isSet(configuration.options)
    }
}

/// Says that something is not there.
struct NotYet: Fault {
    let name: String
    /// Whether libssh leaves no way to it.
    var isImpossible = false
    var layer: Layer { .usage }
    var summary: String {
        isImpossible ? "libssh cannot do \(name)" : "\(name) is not supported yet"
    }
    var hint: Hint? = .advice("use OpenSSH's ssh for this")
}
