public import Faults
internal import Glibc

/// A name to turn into addresses.
public struct NameQuery: Sendable, Equatable {
    /// The name, or an address in digits.
    public var host: String
    /// The port that the addresses get.
    public var port: UInt16
    /// The only family wanted; nil for both.
    public var family: SocketFamily?
    /// Whether the canonical name is wanted too (CanonicalizeHostname).
    public var wantsCanonicalName: Bool
    /// Whether the addresses are to be bound to, so that an empty host stands for all of ours.
    public var isPassive: Bool

    /// Describes what to look up.
    /// - Parameters:
    ///   - host: the name, or an address in digits.
    ///   - port: the port that the addresses get.
    ///   - family: the only family wanted; nil for both.
    ///   - wantsCanonicalName: whether the canonical name is wanted too.
    ///   - isPassive: whether the addresses are to be bound to.
    public init(
        host: String,
        port: UInt16,
        family: SocketFamily? = nil,
        wantsCanonicalName: Bool = false,
        isPassive: Bool = false
    ) {
        self.host = host
        self.port = port
        self.family = family
        self.wantsCanonicalName = wantsCanonicalName
        self.isPassive = isPassive
    }
}

/// What a name stands for.
public struct NameAnswer: Sendable, Equatable {
    /// The addresses in the order the system prefers (RFC 6724), each once.
    public let addresses: [SocketAddress]
    /// The canonical name, if it was asked for and there is one.
    public let canonicalName: String?
}

/// Says that a name has no address.
public struct NameError: Fault, Equatable {
    /// The name as it was asked for.
    public let host: String
    /// What getaddrinfo gave: an EAI value.
    public let code: Int32
    /// The errno value with EAI_SYSTEM.
    public let systemCode: Int32

    /// Says that a host has no address of the family that is wanted.
    /// - Parameter host: the host as it was given.
    /// - Returns: the error that getaddrinfo has for it.
    public static func wrongFamily(_ host: String) -> NameError {
        NameError(host: host, code: wrongFamilyCode, systemCode: 0)
    }

    /// Always ``Layer/name``.
    public var layer: Layer { .name }
    /// OpenSSH's words without the program's name.
    public var summary: String { "Could not resolve hostname \(host.prefix(100)): \(reason)" }
    /// The line that ssh prints.
    public var words: [String]? { ["ssh: \(summary)"] }
    /// The C library's words for it, such as `Name or service not known`.
    ///
    /// C: `gai_strerror`.
    public var reason: String {
        if code == EAI_SYSTEM { return SystemError.reason(of: systemCode) }
        guard let text = unsafe gai_strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
    /// Whether the name is known not to exist, as against not being known for the moment.
    public var isNotFound: Bool { code == EAI_NONAME || code == noDataCode }
}

// Of netdb.h, which glibc shows to GNU sources only.
/// EAI_NODATA: the name has no address.
private let noDataCode: Int32 = -5
/// EAI_ADDRFAMILY: the name has no address of that family.
private let wrongFamilyCode: Int32 = -9

/// Looks a name up on a helper thread; an address in digits needs none.
///
/// Dropping the value abandons the lookup.
public final class NameLookup {
    private enum State {
        case known(Result<NameAnswer, NameError>)
        case asked(Helper<Result<NameAnswer, NameError>>)
    }

    private var state: State

    /// Begins to look up.
    /// - Parameter query: what to look up.
    /// - Throws: ``SystemError`` when no thread can be started.
    public init(_ query: NameQuery) throws(SystemError) {
        switch query.answer(numeric: true) {
        case .failure(let error) where error.isNotFound:
            state = .asked(try Helper { query.answer(numeric: false) })
        case let answer:
            state = .known(answer)
        }
    }

    /// The descriptor on which any event means to ask for ``result``; nil when it is known.
    public var number: Int32? {
        if case .asked(let helper) = state { helper.number } else { nil }
    }

    /// What the name stands for; nil as long as that is not known.
    public var result: Result<NameAnswer, NameError>? {
        if case .asked(let helper) = state, let answer = helper.take() { state = .known(answer) }
        if case .known(let answer) = state { return answer }
        return nil
    }
}

extension NameQuery {
    /// The addresses of a host that is given in digits; never asks anybody.
    /// - Returns: nil when the host is a name.
    public func numericAnswer() -> NameAnswer? { try? answer(numeric: true).get() }

    /// Asks the system, which may take long.
    ///
    /// C: `getaddrinfo`.
    /// - Parameter numeric: refuses everything but digits (AI_NUMERICHOST).
    /// - Returns: the addresses, or why there are none.
    func answer(numeric: Bool) -> Result<NameAnswer, NameError> {
        var hints = unsafe addrinfo()
        unsafe hints.ai_family = family?.number ?? AF_UNSPEC
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags =
            (numeric ? AI_NUMERICHOST : 0) | (wantsCanonicalName ? AI_CANONNAME : 0)
            | (isPassive ? AI_PASSIVE : 0)
        var first: UnsafeMutablePointer<addrinfo>? = nil
        let code = unsafe getaddrinfo(
            host.isEmpty && isPassive ? nil : host,
            "\(port)",
            &hints,
            &first
        )
        if code != 0 { return .failure(NameError(host: host, code: code, systemCode: errno)) }
        defer { unsafe freeaddrinfo(first) }

        var addresses: [SocketAddress] = []
        var next = unsafe first
        while let entry = unsafe next?.pointee {
            unsafe next = entry.ai_next
            if let address = unsafe SocketAddress(entry.ai_addr, length: entry.ai_addrlen),
                !addresses.contains(address)
            {
                addresses.append(address)
            }
        }
        let name = unsafe first?.pointee.ai_canonname.map { unsafe String(cString: $0) }
        return .success(NameAnswer(addresses: addresses, canonicalName: name))
    }
}
