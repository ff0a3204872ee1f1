internal import Glibc

extension TerminalSettings {
    /// The modes as a pseudo-terminal request carries them (RFC 4254 §8), to and including
    /// TTY_OP_END.
    ///
    ///     u8 opcode, u32 value; …; 0
    ///
    /// A control character that is switched off is 255.
    public var encoded: [UInt8] {
        var bytes: [UInt8] = []
        func add(_ code: UInt8, _ value: UInt32) {
            bytes.append(code)
            for shift in stride(from: 24, through: 0, by: -8) {
                bytes.append(UInt8(truncatingIfNeeded: value >> shift))
            }
        }
        unsafe withUnsafeBytes(of: modes.c_cc) { characters in
            for (code, place) in characterCodes {
                let character = unsafe characters[Int(place)]
                // _POSIX_VDISABLE is 0 on Linux.
                add(code, character == 0 ? 255 : UInt32(character))
            }
        }
        let flags: [([(UInt8, Int32)], tcflag_t)] = [
            (inputCodes, modes.c_iflag), (localCodes, modes.c_lflag),
            (outputCodes, modes.c_oflag),
        ]
        for (codes, set) in flags {
            for (code, flag) in codes { add(code, set & tcflag_t(flag) != 0 ? 1 : 0) }
        }
        let size = modes.c_cflag & tcflag_t(CSIZE)
        add(90, size == tcflag_t(CS7) ? 1 : 0)
        add(91, size == tcflag_t(CS8) ? 1 : 0)
        add(92, modes.c_cflag & tcflag_t(PARENB) != 0 ? 1 : 0)
        add(93, modes.c_cflag & tcflag_t(PARODD) != 0 ? 1 : 0)
        if let speed = bitsPerSecond(modes.c_ispeed) { add(128, speed) }
        if let speed = bitsPerSecond(modes.c_ospeed) { add(129, speed) }
        return bytes + [0]
    }
}

private let characterCodes: [(UInt8, Int32)] = [
    (1, VINTR), (2, VQUIT), (3, VERASE), (4, VKILL), (5, VEOF), (6, VEOL), (7, VEOL2),
    (8, VSTART), (9, VSTOP), (10, VSUSP), (12, VREPRINT), (13, VWERASE), (14, VLNEXT),
    (18, VDISCARD),
]

private let inputCodes: [(UInt8, Int32)] = [
    (30, IGNPAR), (31, PARMRK), (32, INPCK), (33, ISTRIP), (34, INLCR), (35, IGNCR), (36, ICRNL),
    (37, upperCaseInput), (38, IXON), (39, IXANY), (40, IXOFF), (41, IMAXBEL), (42, IUTF8),
]

private let localCodes: [(UInt8, Int32)] = [
    (50, ISIG), (51, ICANON), (53, ECHO), (54, ECHOE), (55, ECHOK), (56, ECHONL), (57, NOFLSH),
    (58, TOSTOP), (59, IEXTEN), (60, ECHOCTL), (61, ECHOKE), (62, PENDIN),
]

private let outputCodes: [(UInt8, Int32)] = [
    (70, OPOST), (72, ONLCR), (73, OCRNL), (74, ONOCR), (75, ONLRET),
]

/// The speed behind one of termios's codes, for those that a terminal is likely to have.
private func bitsPerSecond(_ code: speed_t) -> UInt32? {
    let speeds: [(Int32, UInt32)] = [
        (B300, 300), (B1200, 1_200), (B2400, 2_400), (B4800, 4_800), (B9600, 9_600),
        (B19200, 19_200), (B38400, 38_400), (B57600, 57_600), (B115200, 115_200),
        (B230400, 230_400),
    ]
    return speeds.first { speed_t($0.0) == code }?.1
}
