import Crypto
import Foundation
import JSONText
import TestSupport

@testable import SessionManager

/// The other end of a data channel, written from the protocol: it acknowledges, keeps order, sends
/// what was lost again, and echoes or sends what a test wants.
struct Agent {
    var received: [UInt8] = []
    private(set) var response: JSON?
    private(set) var challengeAnswer: [UInt8]?
    /// The data key: the client opens with the first half and seals with the second.
    let plainKey = (0..<64).map { UInt8($0) }
    private var random = Seeded(99)
    private var nextIn: Int64 = 0
    private var nextOut: Int64 = 0
    private var held: [Int64: Frame] = [:]
    private(set) var unacknowledged: [Int64: Frame] = [:]

    /// Takes a message of the client's.
    /// - Returns: the messages it answers with.
    mutating func receive(_ bytes: [UInt8]) throws -> [[UInt8]] {
        let frame = try Frame(bytes)
        if frame.kind == .acknowledge {
            let json = try JSON.parse(frame.payload)
            if let number = json["AcknowledgedMessageSequenceNumber"]?.integer {
                unacknowledged[Int64(number)] = nil
            }
            return []
        }
        if frame.sequenceNumber >= nextIn { held[frame.sequenceNumber] = frame }
        while let next = held.removeValue(forKey: nextIn) {
            nextIn += 1
            switch next.payloadType {
            case .output: received += next.payload
            case .handshakeResponse: response = try JSON.parse(next.payload)
            case .challengeResponse:
                let text = try JSON.parse(next.payload)["Challenge"]?.string ?? ""
                challengeAnswer = opened(base64Decoded(text.utf8) ?? [])
            default: break
            }
        }
        var answer = Frame(.acknowledge, created: 1, id: MessageID(using: &random))
        answer.flags = Frame.controlFlags
        answer.payload = Array(
            JSON.object([
                "AcknowledgedMessageType": "input_stream_data",
                "AcknowledgedMessageId": JSON(.string(frame.id.description)),
                "AcknowledgedMessageSequenceNumber": JSON(.number(Double(frame.sequenceNumber))),
                "IsSequentialMessage": true,
            ]).text.utf8
        )
        return [answer.bytes]
    }

    /// Makes the next message of the stream.
    mutating func send(_ type: Frame.PayloadType, _ payload: [UInt8]) -> [UInt8] {
        var frame = Frame(.output, created: 1, id: MessageID(using: &random))
        frame.sequenceNumber = nextOut
        frame.payloadType = type
        frame.payload = payload
        unacknowledged[nextOut] = frame
        nextOut += 1
        return frame.bytes
    }

    /// All that was not acknowledged, to be sent again.
    var again: [[UInt8]] { unacknowledged.sorted { $0.key < $1.key }.map(\.value.bytes) }

    mutating func askForKey(_ key: String, _ challenge: String?) -> [UInt8] {
        let challenge = challenge.map { #","Challenge":"\#($0)""# } ?? ""
        let request = """
            {"AgentVersion":"3.3.0.0","RequestedClientActions":[
              {"ActionType":"SessionType","ActionParameters":{"SessionType":"Standard_Stream"}},
              {"ActionType":"KMSEncryption","ActionParameters":{"KMSKeyId":"\(key)"\(challenge)}}]}
            """
        return send(.handshakeRequest, Array(request.utf8))
    }

    mutating func challenge(_ secret: [UInt8]) -> [UInt8] {
        let text = Data(sealed(secret)).base64EncodedString()
        return send(.challengeRequest, Array(#"{"Challenge":"\#(text)"}"#.utf8))
    }

    /// AES-256-GCM with the agent's half of the key, nonce first.
    func sealed(_ bytes: [UInt8]) -> [UInt8] {
        let key = SymmetricKey(data: plainKey.prefix(32))
        return (try? AES.GCM.seal(bytes, using: key))?.combined.map { Array($0) } ?? []
    }

    func opened(_ bytes: [UInt8]) -> [UInt8]? {
        let key = SymmetricKey(data: plainKey.suffix(32))
        guard let box = try? AES.GCM.SealedBox(combined: bytes) else { return nil }
        return (try? AES.GCM.open(box, using: key)).map { Array($0) }
    }

    mutating func askForPort(_ extra: [String] = []) -> [UInt8] {
        let actions = (["SessionType"] + extra).map {
            JSON.object(["ActionType": JSON(.string($0))])
        }
        let request = JSON.object([
            "AgentVersion": "3.3.0.0", "RequestedClientActions": JSON(.array(actions)),
        ])
        return send(.handshakeRequest, Array(request.text.utf8))
    }
}
