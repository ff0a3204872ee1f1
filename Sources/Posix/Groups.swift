internal import Glibc

/// Whether a group has no member but one user, so that what it may write only that user may.
///
/// Debian's rule for group-writable files: somebody must be in the group, by the user database or
/// by the group's own list, and nobody else.
///
/// C: `getgrgid`, `getpwent`.
/// - Parameters:
///   - group: the group's id.
///   - user: the user's id.
///   - owner: the id of the file's owner, whose name must be the one in the group's list.
/// - Returns: false also for a group or an owner there is not.
public func isPrivateGroup(_ group: UInt32, of user: UInt32, fileOwner owner: UInt32) -> Bool {
    guard let entry = unsafe getgrgid(group)?.pointee else { return false }
    var listed: [String] = []
    var next = unsafe entry.gr_mem
    while let name = unsafe next?.pointee {
        unsafe listed.append(String(cString: name))
        unsafe next = next?.successor()
    }
    var members = 0
    setpwent()
    defer { endpwent() }
    while let account = unsafe getpwent()?.pointee {
        guard unsafe account.pw_gid == group else { continue }
        if unsafe account.pw_uid != user { return false }
        members += 1
    }
    guard let name = User.find(id: owner)?.name else { return false }
    if let first = listed.first {
        if listed.count > 1 || first != name { return false }
        members += 1
    }
    return members > 0
}
