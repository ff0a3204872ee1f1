/// The X server that the user's windows are on, as DISPLAY names it (X(7)).
///
/// | DISPLAY | where |
/// |---|---|
/// | `:1.0`, `unix:1` | the socket `/tmp/.X11-unix/X1` |
/// | `host:1.0`, `127.0.0.1:1` | TCP port 6001 of that host |
///
/// C: `x11_connect_display` in channels.c.
struct X11Display: Equatable, Sendable {
    /// Where an X server listens.
    enum Place: Equatable, Sendable {
        case socket(path: String)
        case tcp(host: String, port: Int)
    }

    /// DISPLAY's value.
    let name: String
    let place: Place
    /// Which screen of the display; 0 when none is named.
    let screen: UInt32

    /// Reads a value of DISPLAY.
    /// - Parameter name: only characters that ``isAllowed(_:)``.
    /// - Throws: ``X11DisplayUnknown`` when it names no server.
    init(_ name: String) throws(X11DisplayUnknown) {
        self.name = name
        guard let colon = name.firstIndex(of: ":"), let last = name.lastIndex(of: ":") else {
            throw X11DisplayUnknown(words: "Could not find ':' in DISPLAY: \(name)")
        }
        let isLocal = colon == name.startIndex || name.hasPrefix("unix:")
        let start = name.index(after: isLocal ? last : colon)
        let digits = name[start...].prefix { $0.isASCII && $0.isNumber }
        guard let number = Int(digits), number <= X11Display.largestNumber else {
            throw X11DisplayUnknown(words: "Could not parse display number from DISPLAY: \(name)")
        }
        place =
            isLocal
            ? .socket(path: "/tmp/.X11-unix/X\(number)")
            : .tcp(host: String(name[..<colon]), port: 6000 + number)
        let afterDot = name[colon...].drop { $0 != "." }.dropFirst()
        screen = UInt32(afterDot).flatMap { $0 <= X11Display.largestScreen ? $0 : nil } ?? 0
    }

    /// Whether a value may be shown to xauth: letters, digits and `:/.-_`.
    ///
    /// C: `client_x11_display_valid` in clientloop.c.
    static func isAllowed(_ name: String) -> Bool {
        name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "A")...UInt8(ascii: "Z"):
                true
            default: ":/.-_".utf8.contains(byte)
            }
        }
    }

    /// As xauth has it in its file: displays of this machine are under their socket.
    var nameForXauth: String {
        name.hasPrefix("localhost:") ? "unix:" + name.dropFirst("localhost:".count) : name
    }

    /// The last display whose TCP port exists.
    private static let largestNumber = 65535 - 6000
    /// As OpenSSH's.
    private static let largestScreen: UInt32 = 400
}

/// DISPLAY names no X server.
struct X11DisplayUnknown: Error, Equatable {
    /// OpenSSH's line for it.
    let words: String
}
