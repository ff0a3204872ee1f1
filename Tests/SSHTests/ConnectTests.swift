import Foundation
import Posix
import SSH
import TestSupport
import Testing

@Suite(.enabled(if: SSHDServer.isAvailable, "there is no sshd"))
struct ConnectTests {
    @Test func theKeyExchangeGivesTheServersHostKey() throws {
        let it = try SessionFixture()
        try it.wait(it.session.connect)
        #expect(it.session.isConnected)
        #expect(it.session.serverIdentification.hasPrefix("SSH-2.0-OpenSSH"))
        let key = try it.session.hostKey()
        let file = try String(
            contentsOf: it.server.directory.appendingPathComponent("host.pub"),
            encoding: .utf8
        )
        #expect(file.hasPrefix("\(key.type) \(Data(key.blob).base64EncodedString())"))
    }
}
