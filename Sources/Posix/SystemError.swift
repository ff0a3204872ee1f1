public import Faults
internal import Glibc

/// Says which system call failed, on what, and why.
public struct SystemError: Fault, Equatable {
    /// The C function, such as `open`.
    public let call: String
    /// What it was called on (a path, an address), empty if that says nothing.
    public let subject: String
    /// The errno value.
    public let code: Int32

    /// Describes a failed call.
    /// - Parameters:
    ///   - call: the C function's name.
    ///   - subject: what it was called on.
    ///   - code: the errno value it left.
    public init(_ call: String, _ subject: String = "", code: Int32) {
        self.call = call
        self.subject = subject
        self.code = code
    }

    /// Always ``Layer/local``; who calls in another layer wraps this as a cause.
    public var layer: Layer { .local }
    /// `subject: reason` as perror prints it, with the call when there is no subject.
    public var summary: String { "\(subject.isEmpty ? call : subject): \(reason)" }
    /// Whether a signal interrupted the call (EINTR).
    public var isInterruption: Bool { code == EINTR }
    /// The text of the errno value alone, such as `Connection refused`.
    ///
    /// C: `strerror`.
    public var reason: String { SystemError.reason(of: code) }

    /// Gives the text of an errno value.
    ///
    /// C: `strerror`.
    /// - Parameter code: an errno value.
    /// - Returns: the C library's words for it, as OpenSSH prints them.
    public static func reason(of code: Int32) -> String {
        guard let text = unsafe strerror(code) else { return "error \(code)" }
        return unsafe String(cString: text)
    }
}

/// What a system call gave, when "not now" is an ordinary answer.
public enum Attempt<Value> {
    /// It worked.
    case done(Value)
    /// It would have had to wait (EAGAIN).
    case again
}

extension Attempt: Sendable where Value: Sendable {}

/// Makes a system call, again for as long as a signal interrupts it (EINTR).
/// - Returns: what the call gave.
/// - Throws: ``SystemError`` when it gave -1.
@discardableResult
func call<Number: BinaryInteger>(
    _ name: String,
    _ subject: @autoclosure () -> String = "",
    _ body: () -> Number
) throws(SystemError) -> Number {
    while true {
        let result = body()
        if result != -1 { return result }
        if errno != EINTR { throw SystemError(name, subject(), code: errno) }
    }
}

/// As ``call(_:_:_:)``, with EAGAIN as an ordinary answer.
func attempt<Number: BinaryInteger>(
    _ name: String,
    _ body: () -> Number
) throws(SystemError) -> Attempt<Number> {
    do throws(SystemError) {
        return .done(try call(name, "", body))
    } catch {
        if error.code == EAGAIN || error.code == EWOULDBLOCK { return .again }
        throw error
    }
}
