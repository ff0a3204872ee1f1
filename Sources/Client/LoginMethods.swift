internal import SSHConfig

/// A way of proving who one is, by its name in the protocol (RFC 4252, 4256, 4462).
enum LoginMethod: String, CaseIterable {
    /// A Kerberos ticket.
    case gssapi = "gssapi-with-mic"
    /// This host's key; libssh cannot do it.
    case hostbased
    /// A key.
    case publicKey = "publickey"
    /// Questions of the server.
    case interactive = "keyboard-interactive"
    /// A password.
    case password
}

/// Chooses the next method, in OpenSSH's order (sshconnect2.c, `authmethod_get`).
///
/// A method is gone on with until it has nothing left to send, and is then out of the run. When the
/// server's list changes, as after a partial success, the choice starts over.
struct LoginMethods {
    private let preferred: [String]
    private var enabled: Set<LoginMethod>
    /// Nobody is asked for these as long as a key would do.
    private var withheld: Set<LoginMethod> = []
    private var remaining: ArraySlice<String> = []
    private var supported: [String]?
    private var current: LoginMethod?

    /// Begins with what the configuration allows.
    /// - Parameters:
    ///   - options: the configuration.
    ///   - keyFirst: whether the other methods are only for servers that want them besides a key.
    init(_ options: Options, keyFirst: Bool = false) {
        var enabled: Set<LoginMethod> = []
        if options.gssapiAuthentication { enabled.insert(.gssapi) }
        if options.hostbasedAuthentication { enabled.insert(.hostbased) }
        if options.pubkeyAuthentication != .no { enabled.insert(.publicKey) }
        // BatchMode: nobody is there to be asked.
        if options.kbdInteractiveAuthentication && !options.batchMode {
            enabled.insert(.interactive)
        }
        if options.passwordAuthentication && !options.batchMode { enabled.insert(.password) }
        if keyFirst {
            withheld = enabled.subtracting([.publicKey])
            enabled = enabled.intersection([.publicKey])
        }
        self.enabled = enabled
        preferred =
            options.preferredAuthentications.map { $0.split(separator: ",").map(String.init) }
            ?? LoginMethod.allCases.map(\.rawValue)
    }

    /// The method to use now.
    /// - Parameter methods: what the server said can continue.
    /// - Returns: nil when there is none left.
    mutating func next(_ methods: [String]) -> LoginMethod? {
        if !methods.contains(LoginMethod.publicKey.rawValue) {
            enabled.formUnion(withheld)
            withheld = []
        }
        if methods != supported {
            supported = methods
            remaining = preferred[...]
        } else if let current, enabled.contains(current) {
            return current
        }
        while let name = remaining.popFirst() {
            guard methods.contains(name), let method = LoginMethod(rawValue: name),
                enabled.contains(method)
            else { continue }
            current = method
            return method
        }
        current = nil
        return nil
    }

    /// Takes a method out of the run: it has nothing left to send.
    mutating func giveUp(_ method: LoginMethod) { enabled.remove(method) }
}
