internal import Glibc

extension SystemError {
    /// Whether nothing has that name.
    public var isNotFound: Bool { code == ENOENT }
}
