/// Which proxy leads to which host, as the environment says.
public struct Proxies: Sendable, Equatable {
    /// A proxy that is asked with CONNECT, for `https` and `http` alike.
    public struct Proxy: Sendable, Hashable {
        /// A name or an address.
        public var host: String
        /// Its port.
        public var port: Int
        /// A name and a password, decoded.
        public var login: Login?
    }

    /// What a proxy wants to know first; its description shows nothing of it.
    public struct Login: Sendable, Hashable, CustomStringConvertible {
        /// The name.
        public var user: String
        /// The password.
        public var password: String
        /// The name alone.
        public var description: String { user }
    }

    private var secure: Proxy?
    private var plain: Proxy?
    private var exceptions: [String] = []

    /// No proxies.
    public init() {}

    /// Reads `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; of each the one in lower case first.
    ///
    /// `HTTP_PROXY` in upper case is not taken from a web server's request (`REQUEST_METHOD`).
    /// - Parameter environment: the variables.
    public init(_ environment: [String: String]) {
        func value(_ name: String) -> String? {
            let value = environment[name] ?? environment[name.uppercased()]
            return value.flatMap { $0.isEmpty ? nil : $0 }
        }
        let all = value("all_proxy")
        secure = (value("https_proxy") ?? all).flatMap(Proxy.init(url:))
        let fromRequest = environment["REQUEST_METHOD"] != nil && environment["http_proxy"] == nil
        plain = ((fromRequest ? nil : value("http_proxy")) ?? all).flatMap(Proxy.init(url:))
        exceptions = (value("no_proxy") ?? "").split { $0 == "," || $0 == " " }.map {
            $0.lowercased()
        }
    }

    /// The proxy that leads to a host.
    /// - Parameters:
    ///   - host: a name or an address.
    ///   - port: its port.
    ///   - isSecure: whether TLS is spoken with it.
    /// - Returns: nil when it is reached directly.
    public func proxy(for host: String, port: Int, isSecure: Bool) -> Proxy? {
        guard let proxy = isSecure ? secure : plain else { return nil }
        let host = host.lowercased()
        let isException = exceptions.contains { exception in
            let name = exception.hasPrefix(".") ? String(exception.dropFirst()) : exception
            return exception == "*" || [host, "\(host):\(port)"].contains(name)
                || host.hasSuffix(".\(name)")
        }
        return isException ? nil : proxy
    }
}

extension Proxies.Proxy {
    /// Reads `http://user:password@host:port`; the scheme may be missing.
    init?(url: String) {
        guard let url = WebURL(url.contains("://") ? url : "http://\(url)") else { return nil }
        host = url.host
        port = url.port
        login = url.user.map { Proxies.Login(user: $0, password: url.password ?? "") }
    }
}
