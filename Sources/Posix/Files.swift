internal import Glibc

/// A whole file with the facts of the very file that was read.
public struct FileContents: Sendable, Equatable {
    /// What it holds.
    public let bytes: [UInt8]
    /// Its owner, mode and type, taken from the open file and so not of another one.
    public let facts: FileFacts
}

/// How to open a file.
public struct OpenMode: Sendable {
    let flags: Int32
    /// To read what exists.
    public static let read = OpenMode(flags: O_RDONLY)
    /// To write over what was there before, made when missing.
    public static let overwrite = OpenMode(flags: O_WRONLY | O_CREAT | O_TRUNC)
    /// To add at the end, made when missing.
    public static let append = OpenMode(flags: O_WRONLY | O_CREAT | O_APPEND)
    /// To write to a file that does not exist yet, EEXIST if it does.
    public static let create = OpenMode(flags: O_WRONLY | O_CREAT | O_EXCL)
    /// To read and write what exists, such as a terminal or a lock; made when missing.
    public static let readWrite = OpenMode(flags: O_RDWR | O_CREAT)
    /// To read and write a device that exists.
    public static let device = OpenMode(flags: O_RDWR)
}

/// Opens a file; it is closed on exec and never becomes the controlling terminal.
///
/// C: `open`.
/// - Parameters:
///   - path: the path.
///   - mode: what for.
///   - permissions: the bits of a file that is made, before the umask.
///   - followingLinks: false refuses a symbolic link at the path's end (ELOOP).
/// - Returns: the open file.
/// - Throws: ``SystemError``.
public func openFile(
    _ path: String,
    _ mode: OpenMode,
    permissions: UInt32 = 0o600,
    followingLinks: Bool = true
) throws(SystemError) -> Descriptor {
    let flags = mode.flags | O_CLOEXEC | O_NOCTTY | (followingLinks ? 0 : O_NOFOLLOW)
    return Descriptor(
        owning: try call("open", path) { unsafe open(path, flags, mode_t(permissions)) }
    )
}

/// Reads a whole file.
///
/// Waits where the file is a pipe, as `ssh -F <(…)` has it.
/// - Parameters:
///   - path: the path.
///   - limit: the most bytes that are read.
///   - followingLinks: false refuses a symbolic link at the path's end (ELOOP).
/// - Returns: the bytes and the facts of the open file.
/// - Throws: ``SystemError``; EFBIG when it is longer than `limit`, EISDIR for a directory.
public func readFile(
    _ path: String,
    limit: Int = 64 << 20,
    followingLinks: Bool = true
) throws(SystemError) -> FileContents {
    let file = try openFile(path, .read, followingLinks: followingLinks)
    let facts = try fileFacts(of: file.number)
    if facts.kind == .directory { throw SystemError("read", path, code: EISDIR) }
    guard let bytes = try readToEnd(file.number, path, limit: limit, expecting: facts.size) else {
        throw SystemError("read", path, code: EFBIG)
    }
    return FileContents(bytes: bytes, facts: facts)
}

/// Reads an open file up to its end, waiting where it must.
///
/// C: `read`.
/// - Parameters:
///   - number: an open descriptor.
///   - subject: what an error is said to be about.
///   - limit: the most bytes that are read.
///   - expecting: how many bytes there may be.
/// - Returns: nil when there is more than `limit`.
/// - Throws: ``SystemError``.
public func readToEnd(
    _ number: Int32,
    _ subject: String = "",
    limit: Int,
    expecting: Int = 0
) throws(SystemError) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(min(max(expecting, 0), limit) + 1)
    var piece = [UInt8](repeating: 0, count: 16_384)
    while true {
        let count = try call("read", subject) { unsafe Glibc.read(number, &piece, piece.count) }
        if count == 0 { return bytes }
        if bytes.count + count > limit { return nil }
        bytes += piece[..<count]
    }
}

/// Removes a file.
///
/// C: `unlink`.
/// - Parameter path: the path.
/// - Throws: ``SystemError``; ENOENT when there is none.
public func removeFile(_ path: String) throws(SystemError) {
    try call("unlink", path) { unsafe unlink(path) }
}

/// Sets the permission bits of the file at a path.
///
/// C: `chmod`.
/// - Parameters:
///   - path: the path; a symbolic link stands for what it points to.
///   - mode: 0 to 0o7777.
/// - Throws: ``SystemError``; EPERM when it is not ours.
public func setPermissions(path: String, _ mode: UInt32) throws(SystemError) {
    try call("chmod", path) { unsafe chmod(path, mode_t(mode)) }
}

/// Sets the permission bits of an open file.
///
/// C: `fchmod`.
/// - Parameters:
///   - number: an open descriptor.
///   - mode: 0 to 0o7777.
/// - Throws: ``SystemError``; EPERM when it is not ours.
public func setPermissions(of number: Int32, _ mode: UInt32) throws(SystemError) {
    try call("fchmod", "\(number)") { fchmod(number, mode_t(mode)) }
}
