import Foundation
import NIOSSL

/// A certificate for this machine that vouches for itself, made for the run.
struct TestCertificate {
    let file: String
    private let key: String

    init(for name: String = "DNS:localhost") throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ec2sh-tls-\(UUID().uuidString)"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        file = folder.appendingPathComponent("cert.pem").path
        key = folder.appendingPathComponent("key.pem").path
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=\(name)",
            "-keyout", key, "-out", file,
        ]
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
    }

    /// What a server with it needs.
    func server() throws -> NIOSSLContext {
        try NIOSSLContext(
            configuration: .makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: key, format: .pem))
            )
        )
    }

    func remove() {
        let folder = URL(fileURLWithPath: file).deletingLastPathComponent()
        try? FileManager.default.removeItem(at: folder)
    }
}
