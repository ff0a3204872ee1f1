import Testing

@testable import JSONText

@Suite struct ReadingTests {
    @Test(
        "Too much is refused before it costs much",
        arguments: [
            (String(repeating: "[", count: 1_000_000), "too deep"),
            (#"{"a":"# + String(repeating: #"{"a":"#, count: 100), "too deep"),
            ("[" + String(repeating: "1,", count: 600_000) + "1]", "too many values"),
            ("[" + String(repeating: "{},", count: 600_000) + "1]", "too many values"),
        ]
    )
    func limits(text: String, reason: String) {
        let error = #expect(throws: JSONError.self) { try JSON.parse(Array(text.utf8)) }
        #expect(error?.reason == reason)
    }

    @Test("Half a million values are read")
    func many() throws {
        let text = "[" + String(repeating: "1,", count: 499_998) + "1]"
        #expect(try JSON.parse(Array(text.utf8)).array?.count == 499_999)
    }

    @Test("Whatever is cut or changed is read or refused", arguments: [UInt64(1), 2])
    func fuzz(seed: UInt64) throws {
        let original = Array(
            #"{"SessionId":"jane-0a1b","n":[-1.5e3,0,true,null,"\u00e9\\\"\ud83d\ude00"],"o":{"":{}}}"#
                .utf8
        )
        var state = seed
        func next(_ limit: Int) -> Int {
            // SplitMix64.
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
        }
        var read = 0
        let end = ContinuousClock.now + .milliseconds(300)
        while ContinuousClock.now < end {
            var bytes = original
            for _ in 0...next(4) { bytes[next(bytes.count)] = UInt8(next(256)) }
            if next(3) == 0 { bytes.removeLast(next(bytes.count)) }
            guard let json = try? JSON.parse(bytes) else { continue }
            read += 1
            // What was read can be written and read again.
            #expect((try? JSON.parse(Array(json.text.utf8)))?.text == json.text)
        }
        #expect(read > 0)
    }
}
