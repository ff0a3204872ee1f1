/// One session that runs on a host, as the host tells it.
public struct ResumeListing: Sendable, Equatable {
    /// Its name and secret.
    public let identity: ResumeSession.Identity
    /// What it is for; nil for what is not known here.
    public let kind: ResumeSession.Kind?
    /// Whether it has a terminal.
    public let hasPty: Bool
    /// Whether a client has it now.
    public let isAttached: Bool
    /// Whether its process has ended, and nobody has taken its exit.
    public let hasExited: Bool
    /// Whether it was started and is gone.
    public let isLost: Bool
    /// When it was started, in seconds since 1970.
    public let started: UInt64
    /// For how many seconds nobody has had it.
    public let away: UInt32
    /// The remote half's process.
    public let pid: UInt32
    /// The first bytes of its command.
    public let command: String

    init(_ payload: [UInt8]) throws(ResumeError) {
        var reader = WireReader(payload)
        identity = try ResumeSession.Identity(&reader)
        kind = ResumeSession.Kind(rawValue: try reader.number(UInt8.self))
        let flags = try reader.number(UInt8.self)
        hasPty = flags & 1 != 0
        isAttached = flags & 2 != 0
        hasExited = flags & 4 != 0
        isLost = flags & 8 != 0
        started = try reader.number(UInt64.self)
        away = try reader.number(UInt32.self)
        pid = try reader.number(UInt32.self)
        command = try reader.text()
        try reader.finish()
    }
}

/// Asks a host which sessions run there, over one exec request for ``Bootstrap/command``.
public struct ResumeList {
    /// Sessions of one account; a host that tells more is not believed.
    private static let most = 1024

    /// What goes to the request's standard input, all of it.
    public static var request: [UInt8] {
        Bootstrap.body + Hello(mode: .list, identity: ResumeSession.Identity(zero: ())).bytes
    }

    /// What was told so far.
    public private(set) var listings: [ResumeListing] = []
    /// Whether all was told.
    public private(set) var isComplete = false
    /// Why nothing is told: the host cannot have such sessions, or an older program of ours.
    public private(set) var refusal: Refusal?

    private var line: MagicLine? = MagicLine()
    private var scanner = FrameScanner(LinkFrame.shapeFromRemote)

    /// Makes a question.
    public init() {}

    /// Takes what came.
    /// - Throws: ``ResumeError`` when it is no answer.
    public mutating func receive(_ bytes: Span<UInt8>) throws(ResumeError) {
        var position = 0
        if var line {
            let word = try line.find(in: bytes, &position)
            self.line = word == nil ? line : nil
            if word == .noPython {
                refusal = Refusal(.cannotStart, "the host has no Python 3")
            }
            if word != .version1 { return }
        }
        while !isComplete, refusal == nil,
            let piece = try scanner.next(in: bytes, &position, end: bytes.count)
        {
            guard case .whole(let type, let payload) = piece else {
                throw .malformed("data in a list")
            }
            switch type {
            case LinkFrame.listing:
                if listings.count >= ResumeList.most { throw .flooded }
                listings.append(try ResumeListing(payload))
            case LinkFrame.bye: isComplete = true
            case LinkFrame.refuse: refusal = try Refusal(payload)
            default: throw .malformed("a frame of type \(type) in a list")
            }
        }
    }
}
