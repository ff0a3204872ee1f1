/// What came before the remote half began to speak: nothing that anybody wants, unless there is no
/// remote half.
struct HeldOutput {
    /// As much as start-up files may print.
    private static let limit = 65_536

    private(set) var output: [UInt8] = []
    private(set) var errorOutput: [UInt8] = []

    /// Keeps bytes, as far as there is room.
    mutating func add(_ bytes: UnsafeRawBufferPointer, isError: Bool) {
        let room = HeldOutput.limit - output.count - errorOutput.count
        let part = unsafe bytes.prefix(max(0, room))
        if isError { unsafe errorOutput += part } else { unsafe output += part }
    }
}
