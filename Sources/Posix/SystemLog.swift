internal import Glibc

/// Sends a message to the system's log.
///
/// C: `openlog`, `vsyslog`.
/// - Parameters:
///   - program: the name it comes from.
///   - facility: a name of syslog.conf(5), such as `USER`; another one stands for USER.
///   - priority: 2 critical, 3 error, 6 information, 7 debugging.
///   - message: one line; at most 500 bytes are sent, as OpenSSH does.
public func sendToSystemLog(
    program: String,
    facility: String,
    priority: Int32,
    _ message: String
) {
    unsafe program.withCString { name in
        unsafe openlog(name, LOG_PID, (facilities[facility] ?? 1) << 3)
        unsafe String(message.prefix(500)).withCString { text in
            unsafe withVaList([text]) { unsafe vsyslog(priority, "%s", $0) }
        }
        closelog()
    }
}

/// The numbers of syslog.h, before they are shifted.
private let facilities: [String: Int32] = [
    "USER": 1, "DAEMON": 3, "AUTH": 4, "AUTHPRIV": 10, "LOCAL0": 16, "LOCAL1": 17, "LOCAL2": 18,
    "LOCAL3": 19, "LOCAL4": 20, "LOCAL5": 21, "LOCAL6": 22, "LOCAL7": 23,
]
