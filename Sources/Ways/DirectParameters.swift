public import Posix

/// What a direct connection needs to know.
public struct DirectParameters: Sendable {
    /// The name or address, as errors show it.
    public var host: String
    /// The port.
    public var port: UInt16
    /// AddressFamily; nil for any.
    public var family: SocketFamily?
    /// BindAddress.
    public var bindAddress: String?
    /// BindInterface; BindAddress comes before it.
    public var bindInterface: String?
    /// ConnectTimeout, for each address; nil for the system's own.
    public var timeout: Duration?
    /// Whether an address that is silent is tried again beside the first try.
    ///
    /// A try that was begun while the network was away is repeated by the system after ever longer
    /// pauses; a new one is answered at once when the network is back.
    public var isHedged = false
    /// ConnectionAttempts, a second apart.
    public var attempts = 1
    /// TCPKeepAlive.
    public var keepsAlive = true
    /// IPQoS of interactive sessions, which all are until the login.
    public var trafficClass: Int32?
    /// The addresses, when they are known already.
    public var addresses: [SocketAddress]?

    /// Describes a connection with ssh's defaults.
    /// - Parameters:
    ///   - host: the name or address.
    ///   - port: the port.
    public init(host: String, port: UInt16 = 22) {
        self.host = host
        self.port = port
    }
}
