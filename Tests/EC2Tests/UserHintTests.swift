import Testing

@testable import EC2

struct UserHintTests {
    @Test(
        "The right name is read from what cloud-init has the server say",
        arguments: [
            ("Please login as the user \"ubuntu\" rather than the user \"root\".\n\n", "ubuntu"),
            ("Please login as the user \"ec2-user\" rather than the user \"admin\".", "ec2-user"),
            ("Please login as the ubuntu user rather than root user.\n", "ubuntu"),
            ("Please login as the ec2-user user rather than root user.\n", "ec2-user"),
            ("please login as the user ec2-user rather than root", "ec2-user"),
            ("Please login as ubuntu rather than root", "ubuntu"),
            (
                "\r\nWelcome.\r\nPlease login as the user \"a.b_c@d-1\" rather than the user",
                "a.b_c@d-1"
            ),
            ("Please login as the user \"user\" rather than the user \"root\".", "user"),
            ("Please login as the user \"NONE\" rather than the user \"root\".", nil),
            ("Please login as the user \"-oProxyCommand\" rather than the user \"root\".", nil),
            ("Please login as the user \"a b\" rather than the user \"root\".", nil),
            ("Please login as the user \"\" rather than the user \"root\".", nil),
            ("Please login as the user \"ubuntu rather than", nil),
            ("Please login as the user \"ubuntu\"", nil),
            ("Please login as ", nil),
            ("Last login: today", nil),
            ("", nil),
        ] as [(String, String?)]
    )
    func hints(output: String, user: String?) {
        #expect(UserHint.user(in: output.utf8) == user)
    }

    @Test("Any bytes are read without a trap")
    func bytes() {
        #expect(UserHint.user(in: [UInt8](repeating: 0xff, count: 20_000)) == nil)
        #expect(UserHint.user(in: [0xf0, 0x9f] + Array("lease login as the \"".utf8)) == nil)
    }
}
