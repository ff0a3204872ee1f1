extension ResumeSession {
    /// What the remote half is to start.
    ///
    /// ```
    /// u8     kind
    /// u8     flags     1 pty, 2 motd wanted, 4 drop on overflow, 8 link the agent socket
    /// u32    timeout   seconds
    /// u32    since     seconds since the id was first sent
    /// u32×4  columns, rows, width, height
    /// string term, string modes, string command
    /// u32    port
    /// u16    count, then count × (string name, string value)
    /// ```
    public struct Start: Sendable, Equatable {
        /// A terminal for it.
        public struct Pty: Sendable, Equatable {
            /// TERM's value.
            public var term: String
            /// Encoded modes up to and including TTY_OP_END (RFC 4254 §8).
            public var modes: [UInt8]
            /// Its size at the start.
            public var size: Size

            /// Makes one of its parts.
            public init(term: String, modes: [UInt8], size: Size) {
                self.term = term
                self.modes = modes
                self.size = size
            }
        }

        /// What it is for.
        public var kind: Kind
        /// A command's text, a subsystem's name, or a relay's host; empty for the host's own sshd.
        public var command: [UInt8] = []
        /// A relay's port; 0 for the host's own sshd.
        public var port: UInt16 = 0
        /// Its terminal, if it has one.
        public var pty: Pty?
        /// Variables set over what sshd has set.
        public var environment: [(name: String, value: String)] = []
        /// Whether a shell shows the message of the day.
        public var wantsMotd = false
        /// Whether, with nobody attached, a full backlog loses its oldest bytes (``ResumeOverflow``
        /// drop) instead of stopping the process (block).
        public var dropsOutput = false
        /// Whether SSH_AUTH_SOCK is to follow the newest login's agent.
        public var linksAgent = false
        /// How long the session stays without a link; nil for ever.
        public var timeout: Duration? = .seconds(86_400)
        /// Bytes kept for replay in each direction, 65,536 to 67,108,864.
        public var window = 16 << 20

        /// Starts something without a terminal; the other properties are set afterwards.
        /// - Parameter kind: what it is for.
        public init(_ kind: Kind) { self.kind = kind }

        /// Whether two are the same.
        public static func == (left: Start, right: Start) -> Bool {
            left.window == right.window && left.frame(since: .zero) == right.frame(since: .zero)
        }

        /// START as it is sent.
        func frame(since: Duration) -> [UInt8] {
            var flags: UInt8 = pty == nil ? 0 : 1
            if wantsMotd { flags |= 2 }
            if dropsOutput { flags |= 4 }
            if linksAgent { flags |= 8 }
            var payload: [UInt8] = [kind.rawValue, flags]
            let seconds = timeout.map { max(1, UInt32(clamping: $0.components.seconds)) }
            payload.append(wire: seconds ?? 0)
            // Rounded up, as a host that has booted since must not take it for the first time.
            payload.append(
                wire: since == .zero ? 0 : UInt32(clamping: since.components.seconds + 1)
            )
            payload += (pty?.size ?? Size(columns: 0, rows: 0)).bytes
            payload.append(string: Array((pty?.term ?? "").utf8))
            payload.append(string: pty?.modes ?? [])
            payload.append(string: command)
            payload.append(wire: UInt32(port))
            payload.append(wire: UInt16(clamping: environment.count))
            for (name, value) in environment.prefix(Int(UInt16.max)) {
                payload.append(string: Array(name.utf8))
                payload.append(string: Array(value.utf8))
            }
            var bytes: [UInt8] = []
            bytes.append(frame: LinkFrame.start, payload)
            return bytes
        }

        /// The longest START there may be.
        static let longest = 262_144

        /// Whether it fits in a frame; a longer one is for plain ssh.
        public var isSendable: Bool { frame(since: .zero).count <= Start.longest }
    }

    /// A terminal's size.
    public struct Size: Sendable, Equatable {
        /// Width in characters.
        public var columns: UInt32
        /// Height in characters.
        public var rows: UInt32
        /// Width in pixels, 0 if not known.
        public var width: UInt32
        /// Height in pixels, 0 if not known.
        public var height: UInt32

        /// Makes a size.
        public init(columns: UInt32, rows: UInt32, width: UInt32 = 0, height: UInt32 = 0) {
            self.columns = columns
            self.rows = rows
            self.width = width
            self.height = height
        }

        /// Four numbers on the wire.
        var bytes: [UInt8] {
            var bytes: [UInt8] = []
            for number in [columns, rows, width, height] { bytes.append(wire: number) }
            return bytes
        }
    }
}
