import Diagnosis
import Testing

struct RangeTests {
    @Test(
        "an address is in a range by its leading bits, and never in one of the other family",
        arguments: [
            ("0.0.0.0/0", "203.0.113.9", true), ("203.0.113.0/24", "203.0.113.9", true),
            ("203.0.113.0/24", "203.0.114.9", false), ("203.0.113.9/32", "203.0.113.9", true),
            ("203.0.113.9/32", "203.0.113.8", false), ("203.0.113.8/31", "203.0.113.9", true),
            ("203.0.112.0/23", "203.0.113.9", true), ("128.0.0.0/1", "127.255.255.255", false),
            ("::/0", "203.0.113.9", false), ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true), ("2001:db8::/32", "2001:db8:13::9", true),
            ("2001:db8::/127", "2001:db8::2", false), ("2001:db8::1/128", "2001:DB8:0::1", true),
            ("10.0.0.0/8", "no address", false),
        ]
    )
    func contains(range: String, address: String, isIn: Bool) throws {
        #expect(try #require(AddressRange(range)).contains(address) == isIn)
    }

    @Test(
        "what is no range is none",
        arguments: [
            "", "/", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8",
            "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8", "pl-0123",
        ]
    )
    func nonsense(text: String) { #expect(AddressRange(text) == nil) }
}
