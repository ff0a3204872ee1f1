internal import Glibc

/// An account of this machine.
public struct User: Sendable, Equatable {
    /// The login name.
    public let name: String
    /// The user id.
    public let id: UInt32
    /// The id of its own group.
    public let group: UInt32
    /// The home directory.
    public let home: String
    /// The login shell; empty stands for `/bin/sh`.
    public let shell: String
}

extension User {
    /// The account with an id.
    ///
    /// C: `getpwuid_r`.
    /// - Parameter id: a user id.
    /// - Returns: nil when there is none.
    public static func find(id: UInt32) -> User? {
        unsafe find { entry, buffer, count, result in
            unsafe getpwuid_r(id, entry, buffer, count, result)
        }
    }

    /// The account with a name.
    ///
    /// C: `getpwnam_r`.
    /// - Parameter name: a login name.
    /// - Returns: nil when there is none.
    public static func find(name: String) -> User? {
        unsafe find { entry, buffer, count, result in
            unsafe getpwnam_r(name, entry, buffer, count, result)
        }
    }

    /// The id we were started with.
    ///
    /// C: `getuid`.
    public static var currentID: UInt32 { getuid() }

    /// The id that permissions are judged by.
    ///
    /// C: `geteuid`.
    public static var effectiveID: UInt32 { geteuid() }

    private typealias Lookup = (
        UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<passwd>?>
    ) -> Int32

    private static func find(_ lookup: Lookup) -> User? {
        var size = 1024
        // An entry of a directory service can be long; at 1 MB something is wrong.
        while size <= 1 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { unsafe buffer.deallocate() }
            var entry = unsafe passwd()
            var found: UnsafeMutablePointer<passwd>? = nil
            switch unsafe lookup(&entry, buffer, size, &found) {
            case 0: return unsafe User(found)
            case ERANGE: size *= 4
            case EINTR: continue
            default: return nil
            }
        }
        return nil
    }

    private init?(_ entry: UnsafeMutablePointer<passwd>?) {
        guard let entry = unsafe entry?.pointee, let name = unsafe entry.pw_name else { return nil }
        self.name = unsafe String(cString: name)
        id = unsafe entry.pw_uid
        group = unsafe entry.pw_gid
        home = unsafe entry.pw_dir.map { unsafe String(cString: $0) } ?? ""
        shell = unsafe entry.pw_shell.map { unsafe String(cString: $0) } ?? ""
    }
}

/// The name of this machine.
///
/// C: `gethostname`.
/// - Returns: as it is set, with or without a domain; empty when it cannot be told.
public func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    guard unsafe gethostname(&name, name.count - 1) == 0 else { return "" }
    return text(ofZeroEnded: name)
}

/// Decodes a C string in a buffer; bytes that are not UTF-8 are replaced.
func text(ofZeroEnded buffer: [CChar]) -> String {
    let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return String(decoding: bytes, as: UTF8.self)
}
