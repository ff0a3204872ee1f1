internal import Glibc

/// Makes one directory.
///
/// C: `mkdir`.
/// - Parameters:
///   - path: the path; its parent exists.
///   - permissions: its bits, before the umask.
/// - Throws: ``SystemError``; EEXIST when something has that name.
public func makeDirectory(_ path: String, permissions: UInt32 = 0o700) throws(SystemError) {
    try call("mkdir", path) { unsafe mkdir(path, mode_t(permissions)) }
}

/// Makes sure of a directory that only we can use: a real one, ours, with bits 0700.
///
/// Missing parents are made as well. A directory of ours that is open to others is closed.
///
/// C: `mkdir`, `lstat`, `chmod`.
/// - Parameter path: the path, without a slash at its end.
/// - Throws: ``SystemError``; ENOTDIR when it is no directory or a symbolic link, EPERM when it
///   is somebody else's.
public func makePrivateDirectory(_ path: String) throws(SystemError) {
    try makeUnlessThere(path)
    let facts = try fileFacts(path: path, followingLinks: false)
    if facts.kind != .directory { throw SystemError("mkdir", path, code: ENOTDIR) }
    if facts.owner != geteuid() { throw SystemError("mkdir", path, code: EPERM) }
    if facts.isOpenToOthers { try setPermissions(path: path, 0o700) }
}

/// Another process may make the same at the same time.
private func makeUnlessThere(_ path: String) throws(SystemError) {
    do throws(SystemError) {
        try makeWithParents(path)
    } catch {
        if error.code != EEXIST { throw error }
    }
}

private func makeWithParents(_ path: String) throws(SystemError) {
    do throws(SystemError) {
        try makeDirectory(path)
    } catch {
        guard error.code == ENOENT, let slash = path.lastIndex(of: "/") else { throw error }
        let parent = String(path[..<slash])
        if parent.isEmpty { throw error }
        try makeUnlessThere(parent)
        try makeDirectory(path)
    }
}

/// The paths that match a shell pattern, in order.
///
/// C: `glob`.
/// - Parameter pattern: with `*`, `?` and `[…]`; `~` and braces mean themselves.
/// - Returns: empty when nothing matches.
/// - Throws: ``SystemError``; EACCES when a directory cannot be read, ENOMEM.
public func matchingPaths(_ pattern: String) throws(SystemError) -> [String] {
    var found = unsafe glob_t()
    defer { unsafe globfree(&found) }
    switch unsafe glob(pattern, 0, nil, &found) {
    case 0: break
    case GLOB_NOMATCH: return []
    case GLOB_NOSPACE: throw SystemError("glob", pattern, code: ENOMEM)
    default: throw SystemError("glob", pattern, code: errno == 0 ? EACCES : errno)
    }
    return unsafe (0..<Int(found.gl_pathc)).compactMap { index in
        unsafe found.gl_pathv[index].map { unsafe String(cString: $0) }
    }
}

/// The names of what is in a directory, but for `.` and `..`, in no order.
///
/// C: `opendir`, `readdir`.
/// - Parameters:
///   - path: the directory.
///   - limit: the most names that are read.
/// - Returns: names as they are on the disk; those that are no UTF-8 are left out.
/// - Throws: ``SystemError``; ENOENT, ENOTDIR, EACCES.
public func names(inDirectory path: String, limit: Int = 10_000) throws(SystemError) -> [String] {
    guard let directory = unsafe opendir(path) else {
        throw SystemError("opendir", path, code: errno)
    }
    defer { unsafe closedir(directory) }
    var names: [String] = []
    while names.count < limit, let entry = unsafe readdir(directory) {
        let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { field in
            unsafe UnsafeRawPointer(field).withMemoryRebound(to: CChar.self, capacity: 256) {
                unsafe String(validatingCString: $0)
            }
        }
        if let name, name != ".", name != ".." { names.append(name) }
    }
    return names
}
