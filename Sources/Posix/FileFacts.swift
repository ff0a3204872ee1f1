internal import Glibc

/// What stat(2) tells about a file.
public struct FileFacts: Sendable, Equatable {
    /// The type of a file.
    public enum Kind: Sendable, Equatable {
        /// Bytes on a disk.
        case regular
        /// A directory.
        case directory
        /// A symbolic link itself; only when links are not followed.
        case symbolicLink
        /// A FIFO or a pipe.
        case pipe
        /// A socket.
        case socket
        /// A terminal, `/dev/null` and the like.
        case characterDevice
        /// A disk.
        case blockDevice
        /// What this system has besides.
        case other
    }

    /// The type.
    public let kind: Kind
    /// The user id of the owner.
    public let owner: UInt32
    /// The group id.
    public let group: UInt32
    /// Permission, set-id and sticky bits: 0 to 0o7777.
    public let mode: UInt32
    /// Bytes of a regular file.
    public let size: Int
    /// When the contents last changed, in nanoseconds since 1970.
    public let modified: Int64
    /// The device it is on and the number of it there: equal for two names of one file.
    public let identity: FileIdentity

    /// Whether members of the group or anybody else have any permission.
    ///
    /// OpenSSH refuses private keys of which this is true (authfile.c).
    public var isOpenToOthers: Bool { mode & 0o077 != 0 }
    /// Whether members of the group or anybody else can write.
    ///
    /// OpenSSH refuses configuration files of which this is true (readconf.c).
    public var isWritableByOthers: Bool { mode & 0o022 != 0 }
}

/// Tells files apart whatever their names are.
public struct FileIdentity: Sendable, Hashable {
    /// The device's number.
    public let device: UInt64
    /// The inode's number.
    public let number: UInt64
}

/// What is known about the file at a path.
///
/// C: `stat`, `lstat`.
/// - Parameters:
///   - path: the path, used as it is.
///   - followingLinks: whether a symbolic link at its end stands for what it points to.
/// - Returns: the facts of this moment.
/// - Throws: ``SystemError``; ENOENT when there is no such file.
public func fileFacts(
    path: String,
    followingLinks: Bool = true
) throws(SystemError) -> FileFacts {
    var status = stat()
    try call("stat", path) {
        followingLinks ? unsafe stat(path, &status) : unsafe lstat(path, &status)
    }
    return FileFacts(status)
}

/// What is known about an open file.
///
/// C: `fstat`.
/// - Parameter number: an open descriptor.
/// - Returns: the facts of this moment.
/// - Throws: ``SystemError``; EBADF when it is not open.
public func fileFacts(of number: Int32) throws(SystemError) -> FileFacts {
    var status = stat()
    try call("fstat", "\(number)") { unsafe fstat(number, &status) }
    return FileFacts(status)
}

/// Whether the user may do something with a file, as the system judges it.
///
/// C: `access`.
/// - Parameters:
///   - path: the path.
///   - executing: asks for execution in place of reading.
/// - Returns: false also when there is no such file.
public func isAccessible(path: String, executing: Bool = false) -> Bool {
    unsafe access(path, executing ? X_OK : R_OK) == 0
}

extension FileFacts {
    fileprivate init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFREG: .regular
            case S_IFDIR: .directory
            case S_IFLNK: .symbolicLink
            case S_IFIFO: .pipe
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .other
            }
        owner = status.st_uid
        group = status.st_gid
        mode = status.st_mode & 0o7777
        size = Int(status.st_size)
        modified = Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec)
        identity = FileIdentity(device: UInt64(status.st_dev), number: UInt64(status.st_ino))
    }
}
