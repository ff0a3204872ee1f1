import Foundation
import JSONText
import Testing

@Suite struct Base64Tests {
    @Test(
        "Base64 is read as it must be written, and not otherwise",
        arguments: [
            ("", []), ("AA==", [0]), ("AAA=", [0, 0]), ("AAAA", [0, 0, 0]),
            ("+/ +\n/", [251, 255, 191]),
            ("A", nil), ("AA", nil), ("AA=", nil), ("AB==", nil), ("AAB=", nil), ("A===", nil),
            ("AA==AA==", nil), ("AA-_", nil), ("====", nil), ("AAAA=", nil),
        ] as [(String, [UInt8]?)]
    )
    func base64(text: String, bytes: [UInt8]?) { #expect(base64Decoded(text.utf8) == bytes) }

    @Test("Base64 of any length is what others write")
    func lengths() {
        for count in 0..<100 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
            let text = Data(bytes).base64EncodedString()
            #expect(base64Encoded(bytes) == text)
            #expect(base64Decoded(text.utf8) == bytes)
            #expect(
                base64Encoded(bytes, padded: false)
                    == text.trimmingCharacters(in: CharacterSet(charactersIn: "="))
            )
        }
    }
}
