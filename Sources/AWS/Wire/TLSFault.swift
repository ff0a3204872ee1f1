internal import NIOSSL

/// What an error of TLS's means to people.
public enum TLSFault: Error, Equatable {
    /// The other side went away; another try may go better.
    case closed
    /// The other side is not who it should be, or speaks no TLS that we trust; why.
    case untrusted(String)

    /// Understands an error.
    /// - Parameter error: any error; nil is given for those that are not TLS's.
    public init?(_ error: any Error) {
        switch error {
        case NIOSSLError.uncleanShutdown: self = .closed
        case is NIOSSLExtraError: self = .untrusted("the certificate names another host")
        case is NIOSSLError, is BoringSSLError:
            let text = "\(error)"
            if text.contains("EOF during handshake") {
                self = .closed
            } else if text.contains("CERTIFICATE_VERIFY_FAILED") {
                self = .untrusted("the server's certificate is not trusted")
            } else {
                self = .untrusted(String(text.prefix(200)))
            }
        default: return nil
        }
    }
}
