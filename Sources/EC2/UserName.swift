/// What may stand for the name of a remote user where we did not get it from the caller.
public enum UserName {
    /// Whether a name is one that images have: no blanks, no quotes, no leading dash.
    /// - Parameter name: any text, from a file or a server.
    /// - Returns: false for what is better not sent anywhere.
    public static func isPlausible(_ name: some StringProtocol) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 32 else { return false }
        return first != UInt8(ascii: "-") && name.utf8.allSatisfy(isNameByte)
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
        default: "_.@-".utf8.contains(byte)
        }
    }
}
