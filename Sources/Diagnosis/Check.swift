/// One thing that is looked at.
public struct Check: Sendable {
    /// Its name in reports, such as `network.security-group`.
    public typealias ID = String

    /// The layers, in the order in which a connection meets them.
    public enum Layer: String, Sendable, CaseIterable {
        /// This machine.
        case here
        /// Who we are to AWS, and what we may ask.
        case aws
        /// The instance, as AWS sees it.
        case instance
        /// What lies between, as AWS sees it.
        case network
        /// TCP, the banner, the key exchange and the host key.
        case transport
        /// The login.
        case login
        /// The other ways in.
        case ways
        /// The instance's own system, as its user sees it.
        case inside
        /// What should be safer.
        case safety

        /// What a person reads.
        public var title: String {
            switch self {
            case .here: "this machine"
            case .aws: "AWS access"
            case .instance: "instance"
            case .network: "network"
            case .transport: "transport"
            case .login: "login"
            case .ways: "other ways in"
            case .inside: "inside the instance"
            case .safety: "safety"
            }
        }
    }

    /// Its name, which stays what it is.
    public let id: ID
    /// What is looked at, in a few words.
    public let title: String
    /// Where it belongs.
    public let layer: Layer
    /// The checks that explain what this one would find when they find something broken.
    public let dependsOn: [ID]
    /// Looks.
    public let run: @Sendable () async -> Finding

    /// Describes a check.
    /// - Parameters:
    ///   - id: its name: its layer, a dot, and a word.
    ///   - title: what is looked at.
    ///   - layer: where it belongs.
    ///   - dependsOn: the checks that explain what it would find.
    ///   - run: looks.
    public init(
        _ id: ID,
        _ title: String,
        _ layer: Layer,
        dependsOn: [ID] = [],
        run: @escaping @Sendable () async -> Finding
    ) {
        self.id = id
        self.title = title
        self.layer = layer
        self.dependsOn = dependsOn
        self.run = run
    }
}
