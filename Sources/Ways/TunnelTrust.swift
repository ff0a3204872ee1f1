internal import AWS
internal import NIOSSL

/// Whom tunnels trust: the system's certificates, or those the user names (`AWS_CA_BUNDLE`).
///
/// A server's certificate and its name are always checked.
enum TunnelTrust {
    static func context(_ access: Access) throws(WebSocketError) -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        if let file = access.trustedCertificates {
            do {
                let certificates = try NIOSSLCertificate.fromPEMFile(file)
                configuration.trustRoots = .certificates(certificates)
            } catch {
                throw .untrusted("\(file): no certificates can be read from it")
            }
        }
        do {
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw .untrusted("TLS: \(error)")
        }
    }
}
