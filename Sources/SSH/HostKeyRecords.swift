internal import Crypto

/// What a name's SSHFP records (RFC 4255) say about host keys.
///
/// ```
/// record: byte key algorithm | byte hash algorithm | hash of the key
/// ```
///
/// C: `verify_host_key_dns` in dns.c.
public struct HostKeyRecords: Sendable, Equatable {
    /// What came of comparing a key with them.
    public enum Verdict: Sendable, Equatable {
        /// There are no records.
        case none
        /// At least one record is the key's, and none of its kind is another's.
        case matches
        /// The records are of other keys.
        case differs
    }

    /// The type's number among the records of names.
    public static let recordType: Int32 = 44

    /// Whether the name server has validated them (RFC 4035 §3.2.3).
    public let isValidated: Bool
    private let records: [ArraySlice<UInt8>]

    /// Reads a name server's answer; nil when it is none.
    /// - Parameter answer: a message of RFC 1035 §4.1.
    public init?(answer: [UInt8]) {
        var reader = WireReader(answer)
        guard reader.take(2) != nil, let flags = reader.take(2).map(HostKeyRecords.number),
            let questions = reader.take(2).map(HostKeyRecords.number),
            let answers = reader.take(2).map(HostKeyRecords.number), reader.take(4) != nil,
            // A reply (QR) without an error.
            flags & 0x8000 != 0, flags & 0x000f == 0
        else { return nil }
        isValidated = flags & 0x0020 != 0
        for _ in 0..<questions {
            guard HostKeyRecords.skipName(&reader), reader.take(4) != nil else { return nil }
        }
        var records: [ArraySlice<UInt8>] = []
        for _ in 0..<answers {
            guard HostKeyRecords.skipName(&reader),
                let type = reader.take(2).map(HostKeyRecords.number), reader.take(6) != nil,
                let length = reader.take(2).map(HostKeyRecords.number),
                let data = reader.take(length)
            else { return nil }
            if type == HostKeyRecords.recordType { records.append(data) }
        }
        self.records = records
    }

    /// Compares a key with them.
    public func verdict(on key: HostKey) -> Verdict {
        guard !records.isEmpty else { return .none }
        var isMatched = false
        for record in records {
            guard let algorithm = record.first, algorithm == HostKeyRecords.algorithm(key),
                let kind = record.dropFirst().first,
                let hash = HostKeyRecords.hash(kind, key.blob)
            else { continue }
            guard record.dropFirst(2).elementsEqual(hash) else { return .differs }
            isMatched = true
        }
        return isMatched ? .matches : .differs
    }

    private static func algorithm(_ key: HostKey) -> UInt8? {
        switch key.kind {
        case .rsa: 1
        case .dsa: 2
        case .ecdsa: 3
        case .ed25519: 4
        default: nil
        }
    }

    private static func hash(_ kind: UInt8, _ blob: [UInt8]) -> [UInt8]? {
        switch kind {
        case 1: Array(Insecure.SHA1.hash(data: blob))
        case 2: Array(SHA256.hash(data: blob))
        default: nil
        }
    }

    /// Passes over a name: labels up to an empty one, or up to a pointer to labels elsewhere.
    private static func skipName(_ reader: inout WireReader) -> Bool {
        while let length = reader.take(1)?.first {
            if length == 0 { return true }
            if length >= 0xc0 { return reader.take(1) != nil }
            if reader.take(Int(length)) == nil { return false }
        }
        return false
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> Int {
        bytes.reduce(0) { $0 << 8 | Int($1) }
    }
}
