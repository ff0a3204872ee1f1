import Posix
import Testing

struct FindBytesTests {
    @Test(
        "Bytes are found where they first stand from a place on",
        arguments: [
            ("ab", "abab", 0, 0), ("ab", "abab", 1, 2), ("ab", "abab", 3, nil), ("b", "", 0, nil),
            ("", "abc", 0, nil), ("abc", "ab", 0, nil), ("a", "a", 1, nil), ("a", "a", 2, nil),
            ("a", "a", -1, nil), ("\0b", "a\0b", 0, 1),
        ] as [(String, String, Int, Int?)]
    )
    func finds(needle: String, text: String, start: Int, place: Int?) {
        #expect(position(of: Array(needle.utf8), in: Array(text.utf8), from: start) == place)
    }
}
