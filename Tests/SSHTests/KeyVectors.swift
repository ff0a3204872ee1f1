import Foundation

@testable import SSH

/// The throw-away keys of Tests/Vectors.
enum KeyVectors {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("Vectors")

    static func text(_ path: String) -> String {
        String(decoding: bytes(path), as: UTF8.self)
    }

    static func bytes(_ path: String) -> [UInt8] {
        Array(
            FileManager.default.contents(atPath: folder.appendingPathComponent(path).path) ?? Data()
        )
    }

    /// `type base64` of a .pub file.
    static func line(_ name: String) -> String {
        text("known_hosts/\(name).pub").split(separator: " ").prefix(2).joined(separator: " ")
    }

    static func key(_ name: String) -> HostKey {
        let words = line(name).split(separator: " ")
        guard words.count == 2, let blob = Base64.decode(words[1].utf8),
            let key = HostKey(blob: blob)
        else { preconditionFailure("Tests/Vectors/known_hosts/\(name).pub is no key") }
        return key
    }

    static let names = ["ecdsa256", "ecdsa384", "ecdsa521", "ed25519-other", "ed25519", "rsa2048"]
}

/// A directory for one test, removed with the value.
final class KeyScratch {
    let path: String
    init() {
        path = NSTemporaryDirectory() + "ec2sh-keys-\(UUID().uuidString)"
        try? FileManager.default.createDirectory(
            atPath: path,
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ text: String, mode: Int = 0o600) -> String {
        let file = "\(path)/\(name)"
        _ = FileManager.default.createFile(
            atPath: file,
            contents: Data(text.utf8),
            attributes: [.posixPermissions: mode]
        )
        return file
    }

    func read(_ name: String) -> String {
        String(
            decoding: FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data(),
            as: UTF8.self
        )
    }
}

/// Runs a program to its end.
/// - Returns: what it put out and its status.
func runProgram(_ path: String, _ arguments: [String], input: String = "") -> (String, Int32) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    let output = Pipe()
    let standardInput = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    process.standardInput = standardInput
    guard (try? process.run()) != nil else { return ("", 127) }
    standardInput.fileHandleForWriting.write(Data(input.utf8))
    try? standardInput.fileHandleForWriting.close()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return (text, process.terminationStatus)
}
