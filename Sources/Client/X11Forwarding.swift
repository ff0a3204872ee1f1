internal import Faults
internal import Posix
internal import SSHConfig

/// What the server is told of the user's X server.
struct X11Request: Equatable {
    /// The cookie for programs on the server, made up for this connection.
    let cookie: X11Cookie
    let screen: UInt32
}

/// The user's X server as programs on the server reach it (ForwardX11): the two cookies, and until
/// when.
struct X11Forwarding {
    let display: X11Display
    /// What the server has been told.
    let given: X11Cookie
    /// What the X server wants.
    let real: X11Cookie
    /// ForwardX11Timeout: when no more programs are let in; nil for never.
    let end: Instant?

    var request: X11Request { X11Request(cookie: given, screen: display.screen) }

    /// Gets the X server's cookie and makes up the server's; nil when there is no X server to
    /// forward.
    /// - Parameters:
    ///   - options: ForwardX11Trusted, ForwardX11Timeout and XAuthLocation.
    ///   - environment: DISPLAY and TMPDIR.
    ///   - trace: told why there is nothing to forward.
    init?(_ options: Options, _ environment: [String: String], trace: Trace) {
        guard let name = environment["DISPLAY"] else {
            trace.debug(.debug1, .channel, "X11 forwarding requested but DISPLAY not set")
            return nil
        }
        guard X11Display.isAllowed(name) else {
            trace.say(.info, "DISPLAY \"\(name)\" invalid; disabling X11 forwarding")
            return nil
        }
        do throws(X11DisplayUnknown) {
            display = try X11Display(name)
        } catch {
            trace.say(.error, error.words)
            return nil
        }
        let authority = XAuth(
            program: options.xAuthLocation,
            display: display.nameForXauth,
            temporary: environment["TMPDIR"] ?? "/tmp",
            trace: trace
        )
        let seconds = options.forwardX11Timeout
        let limitStart = readClock()
        let cookie =
            options.forwardX11Trusted
            ? authority.trustedCookie() : authority.untrustedCookie(seconds: seconds)
        end =
            options.forwardX11Trusted || seconds == 0
            ? nil : limitStart + .seconds(seconds)
        if let cookie {
            real = cookie
        } else if options.forwardX11Trusted {
            // The X server may let us in for other reasons, such as who we are.
            trace.say(
                .info,
                "Warning: No xauth data; using fake authentication data for X11 forwarding."
            )
            real = .random()
        } else {
            trace.say(
                .error,
                "Warning: untrusted X11 forwarding setup failed: xauth key data not generated"
            )
            return nil
        }
        given = .random(real.name, length: real.data.count)
    }

    /// Whether programs may still be let in.
    func isOpen(_ now: Instant) -> Bool { end.map { now < $0 } ?? true }
}
