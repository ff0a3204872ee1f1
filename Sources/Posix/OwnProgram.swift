internal import Glibc

/// The file of the program that runs, whatever it was called by.
///
/// C: `readlink("/proc/self/exe")`.
/// - Returns: an absolute path.
/// - Throws: ``SystemError``; ENOENT where `/proc` is not there.
public func ownProgramPath() throws(SystemError) -> String {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = try call("readlink", "/proc/self/exe") {
        unsafe readlink("/proc/self/exe", &bytes, bytes.count)
    }
    return String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
