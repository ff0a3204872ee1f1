import Crypto
import Testing

@testable import SSH

/// SSHFP records as name servers send them.
struct HostKeyRecordsTests {
    private let key: HostKey
    private let name: [UInt8] = [4] + Array("host".utf8) + [3] + Array("lab".utf8) + [0]

    init() throws {
        var blob = WireWriter()
        blob.string(Array("ssh-ed25519".utf8))
        blob.string([UInt8](repeating: 7, count: 32))
        key = try #require(HostKey(blob: blob.bytes))
    }

    private var sha256: [UInt8] { Array(SHA256.hash(data: key.blob)) }
    private var sha1: [UInt8] { Array(Insecure.SHA1.hash(data: key.blob)) }

    /// An answer with these records, each with a pointer to the question's name.
    private func answer(
        _ records: [[UInt8]],
        type: UInt8 = 44,
        flags: [UInt8] = [0x81, 0x80]
    )
        -> [UInt8]
    {
        let header: [UInt8] = [1, 2] + flags + [0, 1, 0, UInt8(records.count), 0, 0, 0, 0]
        let question = name + [0, 44, 0, 1]
        return header + question
            + records.flatMap { record -> [UInt8] in
                [0xc0, 12, 0, type, 0, 1, 0, 0, 0, 60, 0, UInt8(record.count)] + record
            }
    }

    @Test("a record of the key matches, with either hash")
    func matches() throws {
        for record in [[4, 2] + sha256, [4, 1] + sha1] {
            #expect(HostKeyRecords(answer: answer([record]))?.verdict(on: key) == .matches)
        }
        let both = answer([[1, 2] + sha256, [4, 2] + sha256, [4, 9, 1]])
        #expect(HostKeyRecords(answer: both)?.verdict(on: key) == .matches)
    }

    @Test("one wrong record of the key's kind is enough to differ")
    func differs() throws {
        let wrong: [UInt8] = [4, 2] + [UInt8](repeating: 1, count: 32)
        for records in [[wrong], [[4, 2] + sha256, wrong], [[1, 2] + sha256], [[4]], [[]]] {
            #expect(HostKeyRecords(answer: answer(records))?.verdict(on: key) == .differs)
        }
    }

    @Test("no record, or one of another type, says nothing")
    func none() throws {
        #expect(HostKeyRecords(answer: answer([]))?.verdict(on: key) == HostKeyRecords.Verdict.none)
        let other = answer([[4, 2] + sha256], type: 16)
        #expect(HostKeyRecords(answer: other)?.verdict(on: key) == HostKeyRecords.Verdict.none)
    }

    @Test("the AD bit says that the answer is validated, and an error or a question is no answer")
    func flags() {
        let records = [[4, 2] + sha256]
        #expect(HostKeyRecords(answer: answer(records))?.isValidated == false)
        let validated = HostKeyRecords(answer: answer(records, flags: [0x81, 0xa0]))
        #expect(validated?.isValidated == true)
        #expect(HostKeyRecords(answer: answer(records, flags: [0x81, 0x83])) == nil)
        #expect(HostKeyRecords(answer: answer(records, flags: [0x01, 0x80])) == nil)
    }

    @Test("cut off anywhere it is no answer, and no bytes trap it")
    func fuzz() {
        let whole = answer([[4, 2] + sha256, [4, 1] + sha1])
        for cut in 0..<whole.count { #expect(HostKeyRecords(answer: Array(whole[..<cut])) == nil) }
        let seed = UInt64.random(in: 0...UInt64.max)
        var state = seed
        let next = { (limit: Int) -> Int in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        for _ in 0..<20_000 {
            var bytes = whole
            for _ in 0...next(4) { bytes[next(bytes.count)] = UInt8(next(256)) }
            guard let records = HostKeyRecords(answer: bytes) else { continue }
            let isShown = bytes.indices.contains { start in
                bytes[start...].starts(with: sha1) || bytes[start...].starts(with: sha256)
            }
            if records.verdict(on: key) == .matches { #expect(isShown, "seed \(seed)") }
        }
    }
}
