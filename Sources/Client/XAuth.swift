internal import Faults
internal import Posix

/// Gets the cookie of an X server by way of xauth(1).
///
/// C: `client_x11_get_proto` in clientloop.c.
struct XAuth {
    /// XAuthLocation.
    let program: String
    /// DISPLAY as xauth has it.
    let display: String
    /// Where a file for an untrusted cookie may be.
    let temporary: String
    let trace: Trace

    /// How long xauth may take; for an untrusted cookie it talks to the X server.
    private static let patience = Duration.seconds(30)
    /// An untrusted cookie outlives our own limit, as servers let everybody in once it is gone.
    private static let slack = 60

    /// The cookie of the X server's owner.
    /// - Returns: nil when xauth knows none.
    func trustedCookie() -> X11Cookie? { list([]) }

    /// Has the X server make a cookie whose holder cannot watch or steer others' windows.
    /// - Parameter seconds: how long it is needed; 0 for ever.
    /// - Returns: nil when the X server makes none.
    func untrustedCookie(seconds: Int) -> X11Cookie? {
        do throws(SystemError) {
            let directory = try TemporaryDirectory(in: temporary, for: ["xauthfile"])
            let file = ["-f", directory.file("xauthfile")]
            let limit =
                seconds == 0
                ? [] : ["timeout", "\(min(seconds + XAuth.slack, Int(UInt32.max)))"]
            let made = run(
                file + ["generate", display, X11Cookie.usualName, "untrusted"] + limit
            )
            guard made?.status.isSuccess == true else { return nil }
            return list(file)
        } catch {
            trace.say(.error, "client_x11_get_proto: mkdtemp: \(error.reason)")
            return nil
        }
    }

    private func list(_ file: [String]) -> X11Cookie? {
        run(file + ["list", display]).flatMap { X11Cookie(listed: $0.output) }
    }

    private func run(_ arguments: [String]) -> CommandResult? {
        trace.debug(
            .debug2,
            .channel,
            "xauth command: \(program) \(arguments.joined(separator: " "))"
        )
        do throws(SystemError) {
            return try runToEnd(
                Command(program, arguments),
                input: .inherited,
                errors: .null,
                until: readClock() + XAuth.patience
            )
        } catch {
            trace.debug(.debug1, .channel, "No xauth program.")
            return nil
        }
    }
}
