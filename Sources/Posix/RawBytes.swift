internal import Glibc

// Names and paths as the system has them: bytes that need not be UTF-8.

/// The command line, byte for byte.
///
/// C: `argv`.
/// - Returns: every argument, the program's name first.
public func rawArguments() -> [[UInt8]] {
    var arguments: [[UInt8]] = []
    let count = Int(CommandLine.argc)
    arguments.reserveCapacity(count)
    for index in 0..<count {
        guard let argument = unsafe CommandLine.unsafeArgv[index] else { break }
        arguments.append(unsafe bytes(of: argument))
    }
    return arguments
}

/// The value of a variable of the environment, byte for byte.
///
/// C: `getenv`.
/// - Parameter name: the name.
/// - Returns: nil when it is not set.
public func rawVariable(_ name: [UInt8]) -> [UInt8]? {
    unsafe getenv(terminated(name)).map { unsafe bytes(of: $0) }
}

/// Reads a whole file whose path need not be UTF-8, as C's stdio would.
///
/// What opens but cannot be read, such as a directory, has no bytes.
///
/// C: `open`, `fstat`, `read`.
/// - Parameter path: the path.
/// - Returns: the bytes and the facts of the open file.
/// - Throws: ``SystemError`` when it cannot be opened.
public func readFile(rawPath path: [UInt8]) throws(SystemError) -> FileContents {
    let shown = String(decoding: path, as: UTF8.self)
    let file = Descriptor(
        owning: try call("open", shown) {
            unsafe open(terminated(path), O_RDONLY | O_CLOEXEC | O_NOCTTY)
        }
    )
    let facts = try fileFacts(of: file.number)
    if facts.kind == .directory { return FileContents(bytes: [], facts: facts) }
    let bytes = try? readToEnd(file.number, shown, limit: Int.max, expecting: facts.size)
    return FileContents(bytes: bytes ?? [], facts: facts)
}

/// Why a path cannot be examined.
///
/// C: `stat`.
/// - Parameter path: the path.
/// - Returns: nil when it can.
public func problem(withRawPath path: [UInt8]) -> SystemError? {
    var status = stat()
    do throws(SystemError) {
        try call("stat") { unsafe stat(terminated(path), &status) }
        return nil
    } catch {
        return error
    }
}

/// The paths that match a shell pattern in which `~` stands for a home directory, in order.
///
/// C: `glob(GLOB_TILDE)`.
/// - Parameter pattern: with `*`, `?`, `[…]` and a leading `~`.
/// - Returns: empty when nothing matches.
/// - Throws: ``SystemError`` when memory or a directory fails it.
public func rawMatchingPaths(_ pattern: [UInt8]) throws(SystemError) -> [[UInt8]] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    switch unsafe glob(terminated(pattern), GLOB_TILDE, nil, &found) {
    case 0: break
    case GLOB_NOMATCH: return []
    default: throw SystemError("glob", String(decoding: pattern, as: UTF8.self), code: EIO)
    }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
        unsafe found.gl_pathv[index].map { unsafe bytes(of: $0) }
    }
}

private func bytes(of text: UnsafePointer<CChar>) -> [UInt8] {
    unsafe UnsafeRawBufferPointer(start: text, count: strlen(text)).map { $0 }
}

/// The bytes up to a NUL, and one: a C string.
func terminated(_ bytes: [UInt8]) -> [CChar] {
    bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
}
