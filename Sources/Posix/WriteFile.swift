internal import Glibc

/// Puts a whole new file in the place of an old one, or leaves the old one as it was.
///
/// The bytes go to a file beside it, are forced to the disk, and get the name last: a full disk,
/// a crash or a second writer never leaves half a file. A symbolic link is replaced, not followed.
///
/// C: `open(O_EXCL)`, `fsync`, `rename`.
/// - Parameters:
///   - path: the path.
///   - bytes: all that the file will hold.
///   - permissions: its bits, whatever the umask is.
/// - Throws: ``SystemError``; the file is then as before.
public func writeFileAtomically(
    _ path: String,
    _ bytes: [UInt8],
    permissions: UInt32 = 0o600
) throws(SystemError) {
    let temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max))"
    let file = try openFile(temporary, .create, permissions: permissions, followingLinks: false)
    do throws(SystemError) {
        try setPermissions(of: file.number, permissions)
        try writeAll(file.number, bytes)
        try call("fsync", path) { fsync(file.number) }
        try call("rename", path) { unsafe rename(temporary, path) }
    } catch {
        unsafe unlink(temporary)
        throw SystemError(error.call, path, code: error.code)
    }
}

/// Adds to the end of a file, which is made when missing, while no other ec2sh does.
///
/// What is on the disk before is never harmed: when not all bytes fit, the part that did is cut
/// off again.
///
/// C: `open(O_APPEND)`, `flock`, `ftruncate`.
/// - Parameters:
///   - path: the path; a symbolic link stands for what it points to.
///   - permissions: the bits of a file that is made, before the umask.
///   - bytes: makes what is added from the file's last byte, nil for an empty or new file.
/// - Throws: ``SystemError``; the file is then as before.
public func appendToFile(
    _ path: String,
    permissions: UInt32 = 0o600,
    _ bytes: (_ lastByte: UInt8?) -> [UInt8]
) throws(SystemError) {
    let mode = OpenMode(flags: O_RDWR | O_CREAT | O_APPEND)
    let file = try openFile(path, mode, permissions: permissions)
    try lock(file.number)
    let size = try fileFacts(of: file.number).size
    var last: UInt8 = 0
    let count = size == 0 ? 0 : unsafe pread(file.number, &last, 1, off_t(size - 1))
    do throws(SystemError) {
        try writeAll(file.number, bytes(count == 1 ? last : nil))
    } catch {
        ftruncate(file.number, off_t(size))
        throw SystemError(error.call, path, code: error.code)
    }
}

/// Takes the advisory lock of an open file and waits for it; closing the file gives it back.
///
/// C: `flock(LOCK_EX)`, `flock(LOCK_SH)`.
/// - Parameters:
///   - number: an open descriptor.
///   - shared: whether others may have a shared lock at the same time.
/// - Throws: ``SystemError``; a file system without locks (ENOLCK, EOPNOTSUPP) is no error.
public func lock(_ number: Int32, shared: Bool = false) throws(SystemError) {
    do throws(SystemError) {
        try call("flock", "\(number)") { flock(number, shared ? LOCK_SH : LOCK_EX) }
    } catch {
        if error.code != ENOLCK && error.code != EOPNOTSUPP { throw error }
    }
}

/// Takes the advisory lock of an open file unless somebody else has it.
///
/// C: `flock(LOCK_EX | LOCK_NB)`.
/// - Parameter number: an open descriptor.
/// - Returns: ``Attempt/again`` when somebody else has it.
/// - Throws: ``SystemError``.
public func tryLock(_ number: Int32) throws(SystemError) -> Attempt<Void> {
    switch try attempt("flock", { flock(number, LOCK_EX | LOCK_NB) }) {
    case .done: .done(())
    case .again: .again
    }
}
