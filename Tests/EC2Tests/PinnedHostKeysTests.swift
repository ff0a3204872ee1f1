import Faults
import Foundation
import Testing

@testable import EC2

private let id = "i-0123456789abcdef0"

struct PinnedHostKeysTests {
    private let cache = TestCache()
    private let trace = Trace(level: .quiet) { _ in }

    private func pinned() throws -> PinnedHostKeys {
        try #require(PinnedHostKeys(environment: cache.environment, home: nil))
    }

    @Test("Keys are kept by the instance's id, as known_hosts has them")
    func keeps() throws {
        let pinned = try pinned()
        let pins = [
            PinnedHostKeys.Pin(blob: KeyVector.hostEd25519.blob, witness: .console),
            PinnedHostKeys.Pin(blob: KeyVector.hostRSA.blob, witness: .user),
        ]
        #expect(pinned.keys(of: id, trace: trace).isEmpty)
        pinned.keep(pins, of: id, trace: trace)
        #expect(pinned.keys(of: id, trace: trace) == pins)
        #expect(pinned.keys(of: "i-00000000000000000", trace: trace).isEmpty)
        let text = try String(contentsOfFile: pinned.path(of: id), encoding: .utf8)
        let vector = KeyVector.hostEd25519
        #expect(text.hasPrefix("\(id) ssh-ed25519 \(vector.base64) console\n"))
        // OpenSSH finds it under the same name.
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["ssh-keygen", "-F", id, "-f", pinned.path(of: id)]
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
    }

    @Test("New keys take the place of the old ones; spoilt lines are left out")
    func replaces() throws {
        let pinned = try pinned()
        let old = PinnedHostKeys.Pin(blob: KeyVector.otherEd25519.blob, witness: .user)
        let new = PinnedHostKeys.Pin(blob: KeyVector.hostEd25519.blob, witness: .ssm)
        pinned.keep([old], of: id, trace: trace)
        pinned.keep([new], of: id, trace: trace)
        #expect(pinned.keys(of: id, trace: trace) == [new])
        let path = pinned.path(of: id)
        let line = "\(id) ssh-ed25519 \(KeyVector.hostEd25519.base64)"
        try "x\n\(id)\n\(id) ssh-rsa AAAA\n\(line)\n\(line.dropLast(4))\n"
            .write(toFile: path, atomically: false, encoding: .utf8)
        let pins = pinned.keys(of: id, trace: trace)
        #expect(pins == [PinnedHostKeys.Pin(blob: new.blob, witness: .user)])
        try FileManager.default.setAttributes([.posixPermissions: 0o666], ofItemAtPath: path)
        #expect(pinned.keys(of: id, trace: trace).isEmpty)
    }

    @Test("What is no instance has no file", arguments: ["../x", "web", "", "i-1"])
    func names(id: String) throws {
        let pinned = try pinned()
        pinned.keep([.init(blob: KeyVector.hostEd25519.blob, witness: .user)], of: id, trace: trace)
        #expect(!FileManager.default.fileExists(atPath: pinned.path(of: id)))
    }
}
