/// How AWS is reached: what environment and profile say about trust, proxies and endpoints.
public struct Access: Sendable, Equatable {
    /// A file of certificates (PEM) that are trusted in the place of the system's.
    public var trustedCertificates: String?
    /// Whether endpoints must be FIPS 140's.
    public var usesFIPS = false
    /// Whether endpoints must have IPv6 addresses too.
    public var usesDualStack = false
    /// URLs that the user has set for services.
    public var endpoints: [Service: String] = [:]
    /// Which proxy leads to which host.
    public var proxies = Proxies()

    /// AWS's own endpoints, the system's trust, no proxy.
    public init() {}
}
