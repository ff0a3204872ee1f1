internal import Glibc

/// A directory for this process alone (0700), for files with secrets that another program is to
/// read or write; it is gone with its value.
public struct TemporaryDirectory: ~Copyable {
    /// The directory's path.
    public let path: String

    private let names: [String]

    /// Makes one below a directory, as `ssh-` and six letters.
    ///
    /// C: `mkdtemp`.
    /// - Parameters:
    ///   - parent: such as `/tmp`.
    ///   - names: of the files that will be in it.
    /// - Throws: ``SystemError``.
    public init(in parent: String, for names: [String]) throws(SystemError) {
        self.names = names
        var template = (parent + "/ssh-XXXXXX").utf8CString.map { $0 }
        guard unsafe mkdtemp(&template) != nil else {
            throw SystemError("mkdtemp", parent, code: errno)
        }
        path = String(
            decoding: template.dropLast().map { UInt8(bitPattern: $0) },
            as: UTF8.self
        )
    }

    /// The path of a file in it.
    /// - Parameter name: without slashes.
    /// - Returns: the path, whether the file is there or not.
    public borrowing func file(_ name: String) -> String { path + "/" + name }

    /// Removes the files, and the directory if nothing else is in it.
    deinit {
        for name in names { unsafe unlink(path + "/" + name) }
        unsafe rmdir(path)
    }
}
