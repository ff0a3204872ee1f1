import Testing

@testable import SSHConfig

struct NumberTests {
    static let times: [(text: String, seconds: Int?)] = [
        ("0", 0), ("90", 90), ("1m30s", 90), ("1h30m", 5_400), ("2d", 172_800), ("1w", 604_800),
        ("10S", 10), ("5 5", nil), ("5m 5", 305), ("+5", 5), ("", nil), ("-1", nil), ("1x", nil),
        ("m", nil), ("2147483647", 2_147_483_647), ("2147483648", nil), ("3551w", nil),
        ("3550w", 2_147_040_000), ("2147483647s1", nil), ("99999999999999999999", nil),
    ]

    @Test("Times are sequences of numbers with units", arguments: times)
    func time(_ row: (text: String, seconds: Int?)) {
        #expect(Numbers.seconds(Array(row.text.utf8)) == row.seconds)
    }

    static let sizes: [(text: String, bytes: Int64?)] = [
        ("0", 0), ("16", 16), ("1k", 1_024), ("1K", 1_024), ("1.5G", 1_610_612_736),
        (".5M", 524_288), ("1B", 1), ("7E", 8_070_450_532_247_928_832), ("8E", nil), ("-1", -1),
        ("-1.5K", -1_536), ("+5", 5), ("--5", nil), ("1..5", nil), ("1kb", nil), ("1k-", 1_024),
        ("1Z", nil), ("", 0), ("k", 0), ("9223372036854775807", Int64.max),
        ("9223372036854775808", nil), ("100000000000000000000", nil),
        ("1.99999999999999999999", nil), ("1.0999999999999999999", 1),
        ("0.9999999999999999999K", nil), (" 5", 5),
    ]

    @Test("Sizes may have a fraction and a unit", arguments: sizes)
    func size(_ row: (text: String, bytes: Int64?)) {
        #expect((try? Numbers.size(Array(row.text.utf8))) == row.bytes)
    }

    static let ports: [(text: String, port: Int?)] = [
        ("22", 22), ("0", 0), ("65535", 65_535), ("65536", nil), ("-1", nil), ("+22", 22),
        (" 22", 22), ("22 ", nil), ("http", 80), ("nope", nil), ("", nil), ("0x16", nil),
    ]

    @Test("Ports are numbers or services", arguments: ports)
    func port(_ row: (text: String, port: Int?)) {
        let services = { (name: String) in name == "http" ? 80 : nil }
        #expect(Numbers.port(Array(row.text.utf8)[...], services) == row.port)
    }

    static let qualities: [(text: String, shown: String?)] = [
        ("none", "none"), ("AF11", "af11"), ("0x10", "lowdelay"), ("8", "throughput"),
        ("le", "le"), ("reliability", "le"), ("010", "throughput"), ("255", "0xff"), ("1", "0x01"),
        ("256", nil), ("-1", nil), ("x", nil), ("0x", nil), ("8x", nil), ("", nil),
    ]

    @Test("Qualities of service are names or numbers in any base", arguments: qualities)
    func quality(_ row: (text: String, shown: String?)) {
        let read = QualityOfService.read(Array(row.text.utf8))
        #expect(read.map { QualityOfService.text($0) } == row.shown)
    }
}
