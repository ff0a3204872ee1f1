import SSH
import Testing

@testable import Client

@Suite("What ended a try to log in")
struct LoginOutcomeTests {
    private static let peer = SSHError.Peer(host: "h", address: "192.0.2.1 port 22")

    @Test(
        "is sorted for the strategy",
        arguments: [
            (SSHError.closedBeforeBanner(peer), LoginOutcome.closedBeforeBanner),
            (.notSSH(peer, seen: "HTTP/1.1 400"), .notSSH),
            (.notSSH(peer, seen: "Not allowed at this time"), .penalized),
            (
                .disconnected(peer, code: 2, text: "Too many authentication failures"),
                .tooManyFailures
            ),
            (.disconnected(peer, code: 11, text: "bye"), .other),
            (.closed(peer), .other),
        ]
    )
    func sorted(error: SSHError, outcome: LoginOutcome) {
        #expect(LoginOutcome(error) == outcome)
    }

    @Test("a silent server and a refused host key are told apart")
    func others() {
        #expect(LoginOutcome(HandshakeTimeout(peer: Self.peer, isGreeted: false)) == .noAnswer)
        let refusal = HostKeyRefusal.declined(host: "h")
        #expect(LoginOutcome(refusal) == .hostKeyRefused(refusal))
    }
}
