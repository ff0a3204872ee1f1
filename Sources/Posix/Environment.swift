internal import Glibc

/// All variables of the environment, read once at the start and handed on.
///
/// C: `environ`.
/// - Returns: by name; of two with one name the first, as getenv(3) finds it.
public func environmentVariables() -> [String: String] {
    let entries = unsafe environmentEntries().map { unsafe String(cString: $0) }
    var variables: [String: String] = [:]
    for entry in entries.reversed() {
        guard let equals = entry.firstIndex(of: "=") else { continue }
        variables[String(entry[..<equals])] = String(entry[entry.index(after: equals)...])
    }
    return variables
}

/// The `NAME=value` strings themselves, whatever bytes they hold.
func environmentEntries() -> [UnsafeMutablePointer<CChar>] {
    var entries: [UnsafeMutablePointer<CChar>] = unsafe []
    var next: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>? = unsafe environ
    while let entry = unsafe next?.pointee {
        unsafe entries.append(entry)
        unsafe next = next?.successor()
    }
    return unsafe entries
}

/// The working directory.
///
/// C: `getcwd`.
/// - Returns: nil when it was removed or cannot be told.
public func workingDirectory() -> String? {
    var path = [CChar](repeating: 0, count: 4096)
    guard unsafe getcwd(&path, path.count) != nil else { return nil }
    return text(ofZeroEnded: path)
}
