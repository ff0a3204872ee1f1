import Synchronization

@testable import AWS

/// Answers one request after the other as written down, and keeps what it was sent.
final class ScriptedWire: Wire {
    private struct State {
        var answers: [Result<WireResponse, WireError>]
        var requests: [WireRequest] = []
    }

    private let state: Mutex<State>

    init(_ answers: [Result<WireResponse, WireError>]) { state = Mutex(State(answers: answers)) }

    var requests: [WireRequest] { state.withLock { $0.requests } }

    func send(_ request: WireRequest) async throws(WireError) -> WireResponse {
        let answer = state.withLock { state in
            state.requests.append(request)
            return state.answers.isEmpty ? nil : state.answers.removeFirst()
        }
        guard let answer else { throw WireError(reason: "no answer is left", isTransient: false) }
        return try answer.get()
    }
}

extension WireResponse {
    init(_ status: Int, _ body: String, _ headers: [APIRequest.Field] = []) {
        self.init(status: status, headers: headers, body: Array(body.utf8))
    }
}
