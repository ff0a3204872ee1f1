import Faults
import Foundation
import JSONText
import Testing

@testable import EC2

private func parse(_ text: String) throws -> UserTable {
    try UserTable.parse(Array(text.utf8), path: "f")
}

struct UserTableTests {
    @Test(
        "The shipped table knows the banner of each system",
        arguments: [
            ("SSH-2.0-OpenSSH_9.6p1 Ubuntu-3ubuntu13.5", ["ubuntu"]),
            (
                "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3",
                ["admin", "bitnami", "debian", "kali", "vyos"]
            ),
            ("SSH-2.0-OpenSSH_9.7 FreeBSD-20240806", ["ec2-user"]),
            ("SSH-2.0-OpenSSH_for_Windows_9.5", ["Administrator"]),
            ("SSH-2.0-OpenSSH_7.4", ["ec2-user", "centos"]),
            ("SSH-2.0-OpenSSH_8.7", ["ec2-user", "rocky"]),
            ("SSH-2.0-OpenSSH_9.9", ["ec2-user", "rocky", "fedora"]),
            ("SSH-2.0-OpenSSH_9.8", ["fedora", "arch", "alpine", "core", "root", "ec2-user"]),
            ("SSH-2.0-OpenSSH_10.0", ["fedora", "arch", "alpine", "core", "root", "ec2-user"]),
            ("SSH-2.0-OpenSSH_5.3", ["ec2-user", "ubuntu", "admin"]),
            ("SSH-1.99-OpenSSH_8.7", ["ec2-user", "rocky"]),
            ("SSH-2.0-dropbear_2022.83", ["root"]),
            ("SSH-2.0-Go", []),
            ("SSH-2.0-AWS_SFTP_1.1", []),
            ("SSH-2.0-", ["ec2-user", "ubuntu", "admin"]),
            ("HTTP/1.1 400", ["ec2-user", "ubuntu", "admin"]),
            ("", ["ec2-user", "ubuntu", "admin"]),
            (nil, ["ec2-user", "ubuntu", "admin"]),
        ] as [(String?, [String])]
    )
    func banners(banner: String?, users: [String]) throws {
        #expect(try UserTable.load(userFile: nil).users(banner: banner) == users)
    }

    @Test(
        "The shipped table knows images by name and owner",
        arguments: [
            ("al2023-ami-2023.5.20240701.0-kernel-6.1-x86_64", "137112412989", ["ec2-user"]),
            (
                "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-20240701", "099720109477",
                ["ubuntu"]
            ),
            ("debian-12-amd64-20240702-1796", "136693071363", ["admin"]),
            ("RHEL-9.4.0_HVM-20240605-x86_64", "309956199498", ["ec2-user", "cloud-user"]),
            ("RHEL-6.3_GA-x86_64", "309956199498", ["root", "ec2-user"]),
            ("RHEL-6.3_GA-x86_64", nil, ["root", "ec2-user"]),
            ("CentOS Stream 9 x86_64 20240703", "125523088429", ["ec2-user", "cloud-user"]),
            ("CentOS Linux 7 x86_64 HVM", nil, ["centos"]),
            ("Rocky-9-EC2-Base-9.4-20240523.0.x86_64", "999999999999", ["rocky"]),
            ("Windows_Server-2022-English-Full-Base", nil, ["Administrator"]),
            ("my-own-image", "999999999999", nil),
        ] as [(String, String?, [String]?)]
    )
    func images(name: String, owner: String?, users: [String]?) throws {
        #expect(try UserTable.load(userFile: nil).users(imageName: name, owner: owner) == users)
    }

    @Test("Each shipped row has its source, a name, and users that can be sent")
    func rows() throws {
        let json = try JSON.parse(PackageResources.users_json)
        let images = try #require(json["images"]?.array)
        let banners = try #require(json["banners"]?.array)
        #expect(images.count >= 30 && banners.count >= 10)
        for row in images + banners {
            #expect(row["source"]?.string?.isEmpty == false, "line \(row.line)")
            #expect(row["os"]?.string?.isEmpty == false, "line \(row.line)")
        }
        for owner in images.compactMap({ $0["owners"]?.array }).joined() {
            #expect(owner.string?.utf8.count == 12)
        }
    }

    @Test("The user's rows stand before the shipped ones, and replace the default")
    func override() throws {
        let path = NSTemporaryDirectory() + "users-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text = """
            {"banners": [{"banner": "OpenSSH_8.7", "users": ["me"]}], "default": ["someone"]}
            """
        _ = FileManager.default.createFile(atPath: path, contents: Data(text.utf8))
        let table = try UserTable.load(userFile: path)
        #expect(table.users(banner: "SSH-2.0-OpenSSH_8.7") == ["me"])
        #expect(table.users(banner: "SSH-2.0-OpenSSH_9.6p1 Ubuntu-3") == ["ubuntu"])
        #expect(table.users(banner: nil) == ["someone"])
        #expect(try UserTable.load(userFile: path + ".missing").users(banner: nil).count == 3)
    }

    @Test(
        "A table that is wrong is refused with its line",
        arguments: [
            ("", 1, "expected a value, not the end"),
            ("[]", 1, "expected an object"),
            ("{\n\"default\": 1}", 2, "expected a list of texts"),
            ("{\n\"default\":\n[1]}", 3, "expected a text"),
            ("{\"default\": [\"a b\"]}", 1, "'a b' is no user name"),
            ("{\"default\": [\"-l\"]}", 1, "'-l' is no user name"),
            ("{\"defaults\": []}", 1, "unknown member 'defaults'"),
            ("{\"banners\": [{}]}", 1, "expected \"banner\": a text"),
            ("{\"banners\": [{\"banner\": \"x\"}]}", 1, "expected \"users\": a list of texts"),
            ("{\"images\":\n[\n{\"users\": []}]}", 3, "expected \"names\": a list of texts"),
            ("{\"default\": [\"a\",]}", 1, "expected a value"),
            ("{\"default\": [\"a\"]} x", 1, "expected the end"),
            ("{\"default\": [\"a\"}", 1, "expected ',' or ']'"),
            ("{\"default\" [\"a\"]}", 1, "expected ':'"),
            ("{default: []}", 1, "expected a name in quotes"),
            ("{\"about\": \"\u{1}\"}", 1, "a string is not closed on its line"),
            ("{\"about\": \"\\x\"}", 1, "unknown escape"),
            ("{\"about\": \"\\ud800\"}", 1, "half a surrogate pair"),
            ("{\"about\": \"", 1, "a string is not closed"),
            ("{\"about\": 0x1}", 1, "expected a value"),
            ("{\"about\": nan}", 1, "expected a value"),
        ]
    )
    func wrong(text: String, line: Int, reason: String) {
        #expect(throws: UserTableError(path: "f", line: line, reason: reason)) { try parse(text) }
    }

    @Test("An override that is a directory is an error, in words that name it")
    func unreadable() {
        let error = #expect(throws: UserTableError.self) { try UserTable.load(userFile: "/tmp") }
        #expect(error?.summary == "/tmp: Is a directory")
        #expect(UserTableError(path: "f", line: 3, reason: "r").summary == "f line 3: r")
    }

    @Test(
        "JSON's values are read",
        arguments: [
            ("\"\\u00e9\\ud83d\\ude00\\n\\/\"", "é😀\n/"), ("\"é\"", "é"), ("\u{feff}\"a\"", "a"),
        ]
    )
    func strings(text: String, value: String) throws {
        #expect(try JSON.parse(Array(text.utf8)).string == value)
    }

    @Test("Deep nesting is refused, not followed")
    func deep() {
        let text = Array(repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(throws: JSONError(line: 1, reason: "too deep")) { try JSON.parse(text) }
    }

    @Test("Random changes never trap the reader", arguments: [UInt64(1), 2, 3])
    func fuzz(seed: UInt64) {
        var state = seed
        func random(_ limit: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % limit
        }
        let original = Array(PackageResources.users_json.prefix(2000))
        let end = ContinuousClock.now + .milliseconds(400)
        while ContinuousClock.now < end {
            var bytes = original
            for _ in 0...random(8) {
                let at = random(bytes.count)
                switch random(3) {
                case 0: bytes[at] = UInt8(random(256))
                case 1: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random(20)))
                default: bytes.insert("[]{}\",:\\u0"[random(10)], at: at)
                }
                if bytes.isEmpty { break }
            }
            _ = try? UserTable.parse(bytes, path: "f")
        }
    }
}

extension String {
    fileprivate subscript(index: Int) -> UInt8 { Array(utf8)[index] }
}
