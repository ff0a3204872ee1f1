internal import CLibSSH
internal import Faults

/// What libssh tells in its log and nowhere else.
struct LibraryNotes {
    /// The lines a server sent before its identification line, or in place of one.
    var linesBeforeBanner: [String] = []
    /// Whether the identification line has come.
    var hasBanner = false
    /// The text of SSH_MSG_DISCONNECT, which later errors would overwrite.
    var disconnect: String?
    /// The first error of the connection as a whole.
    var firstError: String?
    /// The number libssh gave the channel it created last.
    var createdChannel: UInt32 = 0
    /// Why channels were refused, by number.
    var refusedChannels: [UInt32: String] = [:]
    /// Login banners not yet taken (SSH_MSG_USERAUTH_BANNER); libssh keeps the last one only.
    var banners: [[UInt8]] = []
    /// Whether a banner is being received: libssh logs before it puts it in its place.
    var isBannerComing = false
    /// The methods of the last SSH_MSG_USERAUTH_FAILURE, all of them and in the server's order.
    var methods: [String] = []
    /// Whether the server has accepted the key offered last (SSH_MSG_USERAUTH_PK_OK).
    var isKeyAccepted = false

    /// Lines kept of what a server says that speaks something else.
    static let linesKept = 4
    /// Lines that may come before the identification line (OpenSSH's SSH_MAX_PRE_BANNER_LINES).
    static let linesAllowed = 1024
    /// Lines that came before the identification line.
    var lineCount = 0
}

extension Session {
    /// Runs libssh's code with its log going to this session, and its socket read ahead.
    ///
    /// Both belong to the thread, which several sessions may share.
    /// - Parameters:
    ///   - least: the least level ``LibraryNotes`` needs of this call.
    ///   - body: the calls.
    /// - Returns: what `body` gave.
    func inLibrary<Result>(least: Int = SSH_LOG_WARNING, _ body: () -> Result) -> Result {
        let level = ssh_get_log_level()
        let receiver = unsafe ssh_get_log_userdata()
        ssh_set_log_level(max(logLevel, Int32(least)))
        unsafe ssh_set_log_callback(receiveLog)
        unsafe ssh_set_log_userdata(Unmanaged.passUnretained(self).toOpaque())
        defer {
            ssh_set_log_level(level)
            unsafe ssh_set_log_userdata(receiver)
        }
        return readAhead.during(body)
    }

    /// Formatting costs time, so data flows with errors alone being logged; until the login is done
    /// ``LibraryNotes`` needs everything.
    private var logLevel: Int32 {
        if trace.level >= .debug3 || !isLoggedIn { return Int32(SSH_LOG_FUNCTIONS) }
        return Int32(trace.level >= .debug1 ? SSH_LOG_PACKET : SSH_LOG_WARNING)
    }

    /// libssh's words for the last error.
    var libraryError: String { unsafe text(unsafe ssh_get_error(UnsafeMutableRawPointer(handle))) }

    /// Takes a line; most are of no interest, and no string is made of those.
    fileprivate func note(
        _ priority: Int32,
        _ function: UnsafePointer<CChar>,
        _ line: UnsafePointer<CChar>
    ) {
        let isTold = unsafe level(of: priority, function) <= trace.level
        let isTaken = takenFunctions.contains { unsafe isSame($0, function) }
        guard isTold || isTaken else { return }
        // The line begins with the function's name and a colon.
        let text = unsafe String(cString: line + strlen(function))
        let message = String(text.drop { $0 == ":" || $0 == " " })
        if isTaken { unsafe take(String(cString: function), message) }
        if isTold {
            unsafe trace.debug(level(of: priority, function), .transport, "libssh: \(message)")
        }
    }

    private func level(of priority: Int32, _ function: UnsafePointer<CChar>) -> Trace.Level {
        switch priority {
        case ...Int32(SSH_LOG_PROTOCOL): .debug1
        // `debug1` of OpenSSH's own log; scripts look for it.
        case Int32(SSH_LOG_PACKET) where unsafe isSame("ssh_packet_send_newkeys", function):
            .debug1
        case Int32(SSH_LOG_PACKET): .debug2
        default: .debug3
        }
    }

    private func take(_ function: String, _ message: String) {
        switch function {
        case "callback_receive_banner":
            if let line = message.suffix(after: "ssh_protocol_version_exchange: ") {
                notes.lineCount += 1
                if notes.linesBeforeBanner.count < LibraryNotes.linesKept {
                    notes.linesBeforeBanner.append(line)
                }
            } else if message.hasPrefix("Received banner") {
                notes.hasBanner = true
            } else {
                keepError(message)
            }
        case "ssh_packet_disconnect_callback":
            if let text = message.suffix(after: "Received SSH_MSG_DISCONNECT: ") {
                notes.disconnect = notes.disconnect ?? text
            }
        case "ssh_packet_socket_callback", "ssh_kex_select_methods",
            "ssh_socket_exception_callback":
            keepError(message)
        case "channel_open":
            let number = message.suffix(after: "Creating a channel ")?.prefix { $0.isNumber }
            if let number, let number = UInt32(number) { notes.createdChannel = number }
        case "ssh_packet_channel_open_fail":
            if let rest = message.suffix(after: "Channel opening failure: channel "),
                let number = UInt32(rest.prefix { $0.isNumber })
            {
                notes.refusedChannels[number] = rest
            }
        case "ssh_global_request":
            if message.hasPrefix("Sent ") { globalRequests.isAnswerOut = true }
            if message.hasPrefix("Global request ") { globalRequests.isAnswerOut = false }
        case "ssh_request_success": globalRequests.packetsAtSuccess = packetsReceived
        case "ssh_packet_userauth_banner":
            collectBanner()
            notes.isBannerComing = message.hasPrefix("Received")
        case "ssh_packet_userauth_failure":
            if let methods = message.suffix(after: "Authentication that can continue: ") {
                notes.methods = methods.split(separator: ",").map(String.init)
            }
        case "ssh_packet_userauth_pk_ok":
            if message == "Assuming SSH_USERAUTH_PK_OK" { notes.isKeyAccepted = true }
        default: break
        }
    }

    private func keepError(_ message: String) {
        let isError = LibraryNotes.fatalBeginnings.contains { message.hasPrefix($0) }
        if isError, notes.firstError == nil { notes.firstError = message }
    }

    /// Takes the banner libssh holds, if one came since the last time.
    func collectBanner() {
        guard notes.isBannerComing else { return }
        notes.isBannerComing = false
        guard let banner = unsafe ssh_get_issue_banner(handle) else { return }
        defer { unsafe ssh_string_free_char(banner) }
        let bytes = unsafe UnsafeRawBufferPointer(start: banner, count: strlen(banner))
        notes.banners.append(unsafe Array(bytes))
    }
}

extension LibraryNotes {
    /// How the errors begin that end a connection (packet.c, kex.c, session.c, client.c).
    fileprivate static let fatalBeginnings = [
        "HMAC error", "Decryption error", "read_packet(): Packet len too high",
        "Given numbers of bytes left to be read", "Packet too short", "Invalid padding",
        "Incoming sequence number overflow", "Packet filter: rejected packet",
        "kex error : no match for method", "Socket error: ", "Receiving banner: too large banner",
    ]
}

extension String {
    /// What follows the first place where `marker` stands.
    func suffix(after marker: String) -> String? {
        guard let start = firstRange(of: marker)?.upperBound else { return nil }
        return String(self[start...])
    }

    private func firstRange(of marker: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            let rest = self[start...]
            if rest.hasPrefix(marker) {
                return start..<index(start, offsetBy: marker.count)
            }
            start = index(after: start)
        }
        return nil
    }
}

/// Receives every line; the text begins with the function's name again.
private let receiveLog: ssh_logging_callback = { priority, function, line, user in
    guard let user = unsafe user, let function = unsafe function, let line = unsafe line else {
        return
    }
    unsafe Unmanaged<Session>.fromOpaque(user).takeUnretainedValue()
        .note(priority, function, line)
}

/// The functions whose lines ``LibraryNotes`` is made of.
private let takenFunctions: [StaticString] = [
    "callback_receive_banner", "ssh_packet_disconnect_callback", "ssh_packet_socket_callback",
    "ssh_kex_select_methods", "ssh_socket_exception_callback", "channel_open",
    "ssh_packet_channel_open_fail", "ssh_packet_userauth_banner", "ssh_packet_userauth_failure",
    "ssh_packet_userauth_pk_ok", "ssh_request_success", "ssh_global_request",
]

/// Compares without making a string, as this is asked of every line.
private func isSame(_ name: StaticString, _ text: UnsafePointer<CChar>) -> Bool {
    // A literal ends with a zero, as a C string does.
    let start = unsafe UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    return unsafe strcmp(text, start) == 0
}
