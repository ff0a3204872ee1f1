import Testing

@testable import JSONText

@Suite struct WritingTests {
    @Test(
        "What is written is read back the same",
        arguments: [
            #"{"a":1,"b":[true,null,"x"],"c":{}}"#, #""\u0000\u001f\"\\é😀""#, "[-1,0,12345678901]",
        ]
    )
    func roundTrip(text: String) throws {
        let value = try JSON.parse(Array(text.utf8))
        let again = try JSON.parse(Array(value.text.utf8))
        #expect(again.text == value.text)
    }

    @Test("Literals make values")
    func literals() {
        let value = JSON.object(["name": "a\"b", "count": 3, "is": false])
        #expect(value.text == #"{"name":"a\"b","count":3,"is":false}"#)
    }
}
