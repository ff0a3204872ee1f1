internal import Glibc

/// The size of a terminal's window (RFC 4254 §6.2).
public struct WindowSize: Sendable, Equatable {
    /// Characters in a row.
    public var columns: UInt32
    /// Rows.
    public var rows: UInt32
    /// Pixels from left to right, 0 when unknown.
    public var width: UInt32
    /// Pixels from top to bottom, 0 when unknown.
    public var height: UInt32

    /// Describes a size.
    /// - Parameters:
    ///   - columns: characters in a row.
    ///   - rows: rows.
    ///   - width: pixels from left to right, 0 when unknown.
    ///   - height: pixels from top to bottom, 0 when unknown.
    public init(columns: UInt32, rows: UInt32, width: UInt32 = 0, height: UInt32 = 0) {
        self.columns = columns
        self.rows = rows
        self.width = width
        self.height = height
    }

    /// Asks a terminal.
    ///
    /// C: `ioctl(TIOCGWINSZ)`.
    /// - Parameter number: any descriptor.
    /// - Returns: nil for what is no terminal.
    public static func of(_ number: Int32) -> WindowSize? {
        var size = winsize()
        guard unsafe ioctl(number, UInt(TIOCGWINSZ), &size) == 0 else { return nil }
        return WindowSize(
            columns: UInt32(size.ws_col),
            rows: UInt32(size.ws_row),
            width: UInt32(size.ws_xpixel),
            height: UInt32(size.ws_ypixel)
        )
    }
}
