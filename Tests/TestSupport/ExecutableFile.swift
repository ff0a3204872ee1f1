import Foundation

/// Writes a script or program that is run at once.
///
/// Another process writes it: were it this one, a child that another test starts meanwhile would
/// have a copy of the open file for a moment, and running it would fail (ETXTBSY).
/// - Parameters:
///   - path: where.
///   - text: what it holds.
/// - Throws: when no process can be started.
public func writeExecutable(_ path: String, _ text: String) throws {
    let writer = Process()
    writer.executableURL = URL(fileURLWithPath: "/bin/sh")
    writer.arguments = ["-c", "printf %s \"$1\" > \"$2\" && chmod 700 \"$2\"", "sh", text, path]
    try writer.run()
    writer.waitUntilExit()
}
