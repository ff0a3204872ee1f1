internal import Glibc

/// What a child gets for one of its three standard descriptors.
public enum ChildStream: Sendable {
    /// The one we have ourselves.
    case inherited
    /// `/dev/null`
    case null
    /// A descriptor of ours, by number.
    case descriptor(Int32)
    /// A device that is opened in the child; a session leader's first terminal becomes its
    /// controlling terminal.
    case device(String)
}

/// What a child gets for its environment.
public enum ChildEnvironment: Sendable {
    /// Ours, byte for byte, with some variables set or (nil) removed.
    case inherited(changes: [String: String?] = [:])
    /// These variables and no others.
    case only([String: String])
}

/// The group of processes that a child belongs to.
public enum ChildGroup: Sendable {
    /// Ours: the terminal's Ctrl-C reaches it too.
    case ours
    /// A new one.
    case own
    /// A new session without a terminal.
    case session
}

/// A program to run.
public struct Command: Sendable {
    /// A path, or a name without slashes that is searched in PATH, byte for byte.
    public var rawProgram: [UInt8]
    /// The argument vector with the program's name as its first, byte for byte.
    public var rawArguments: [[UInt8]]
    /// The variables it gets.
    public var environment: ChildEnvironment = .inherited()
    /// The process group it gets.
    public var group: ChildGroup = .ours

    /// Describes a program with its arguments.
    /// - Parameters:
    ///   - program: a path, or a name that is searched in PATH.
    ///   - arguments: what follows the program's name.
    public init(_ program: String, _ arguments: [String] = []) {
        self.init(raw: Array(program.utf8), arguments.map { Array($0.utf8) })
    }

    /// Describes a program and arguments that need not be UTF-8.
    /// - Parameters:
    ///   - program: a path, or a name that is searched in PATH.
    ///   - arguments: what follows the program's name.
    public init(raw program: [UInt8], _ arguments: [[UInt8]] = []) {
        rawProgram = program
        rawArguments = [program] + arguments
    }

    /// The program's path or name for people.
    public var program: String { String(decoding: rawProgram, as: UTF8.self) }

    /// Describes a command line that the user's shell runs, as ssh does (`$SHELL -c …`).
    /// - Parameters:
    ///   - line: what the shell gets; ssh puts `exec ` before it where it keeps the process.
    ///   - shell: the value of `SHELL`; nil or empty stands for `/bin/sh`.
    /// - Returns: the shell with its `-c`.
    public static func shell(_ line: String, shell: String?) -> Command {
        .shell(raw: Array(line.utf8), shell: shell.map { Array($0.utf8) })
    }

    /// As ``shell(_:shell:)``, for text that need not be UTF-8.
    /// - Parameters:
    ///   - line: what the shell gets.
    ///   - shell: the value of `SHELL`; nil or empty stands for `/bin/sh`.
    /// - Returns: the shell with its `-c`.
    public static func shell(raw line: [UInt8], shell: [UInt8]?) -> Command {
        let program = shell.flatMap { $0.isEmpty ? nil : $0 } ?? Array("/bin/sh".utf8)
        return Command(raw: program, [Array("-c".utf8), line])
    }
}

/// Starts a program.
///
/// It gets no descriptor but the three, no blocked signal, and SIGPIPE with its default meaning;
/// signals that were ignored when we started stay so, as nohup expects.
///
/// C: `posix_spawnp`.
/// - Parameters:
///   - command: what to run.
///   - input: its standard input.
///   - output: its standard output.
///   - errors: its standard error.
/// - Returns: the child, which somebody has to reap.
/// - Throws: ``SystemError``; ENOENT when there is no such program.
public func spawn(
    _ command: Command,
    input: ChildStream = .null,
    output: ChildStream = .inherited,
    errors: ChildStream = .inherited
) throws(SystemError) -> Child {
    let streams = [input, output, errors]
    let safe = try duplicates(of: streams)
    defer { safe.values.forEach { close($0) } }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    for (target, stream) in streams.enumerated() {
        let target = Int32(target)
        switch stream {
        case .inherited:
            break
        case .null:
            unsafe posix_spawn_file_actions_addopen(&actions, target, "/dev/null", O_RDWR, 0)
        case .device(let path):
            unsafe posix_spawn_file_actions_addopen(&actions, target, path, O_RDWR, 0)
        case .descriptor(let number):
            let source = number == target ? number : safe[number] ?? number
            unsafe posix_spawn_file_actions_adddup2(&actions, source, target)
        }
    }

    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    unsafe set(&attributes, group: command.group)

    var pid: Int32 = -1
    let program = command.rawProgram.map { CChar(bitPattern: $0) } + [0]
    let code = unsafe withCStrings(command.rawArguments) { arguments in
        unsafe withCStrings(command.environment.entries) { environment in
            unsafe posix_spawnp(
                &pid,
                program,
                &actions,
                &attributes,
                arguments,
                environment
            )
        }
    }
    if code != 0 { throw SystemError("posix_spawn", command.program, code: code) }
    return Child(pid: pid)
}

/// Duplicates of the descriptors 0 to 2 where one stands for another of the three, since the actions
/// in the child would overwrite it before it is used.
/// - Returns: by the number that is duplicated; the caller closes them.
private func duplicates(of streams: [ChildStream]) throws(SystemError) -> [Int32: Int32] {
    var made: [Int32: Int32] = [:]
    for (target, stream) in streams.enumerated() {
        guard case .descriptor(let number) = stream, 0...2 ~= number, number != target,
            made[number] == nil
        else { continue }
        made[number] = try Descriptor.duplicate(number).release()
    }
    return made
}

/// POSIX_SPAWN_SETSID of spawn.h, which glibc shows to GNU sources only.
private let setSessionFlag: Int32 = 0x80

private func set(_ attributes: UnsafeMutablePointer<posix_spawnattr_t>, group: ChildGroup) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(attributes, &signals)
    unsafe sigaddset(&signals, SIGPIPE)
    unsafe posix_spawnattr_setsigdefault(attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    switch group {
    case .ours: break
    case .own: flags |= POSIX_SPAWN_SETPGROUP
    case .session: flags |= setSessionFlag
    }
    unsafe posix_spawnattr_setflags(attributes, Int16(flags))
}

extension ChildEnvironment {
    /// The `NAME=value` strings.
    fileprivate var entries: [[UInt8]] {
        switch self {
        case .only(let variables):
            return variables.sorted { $0.key < $1.key }.map { Array("\($0.key)=\($0.value)".utf8) }
        case .inherited(let changes):
            let kept = unsafe environmentEntries().map { unsafe bytes(ofZeroEnded: $0) }
                .filter { entry in
                    let name = String(
                        decoding: entry.prefix { $0 != UInt8(ascii: "=") },
                        as: UTF8.self
                    )
                    return !changes.keys.contains(name)
                }
            let set = changes.sorted { $0.key < $1.key }
                .compactMap { name, value in value.map { Array("\(name)=\($0)".utf8) } }
            return kept + set
        }
    }
}

private func bytes(ofZeroEnded text: UnsafeMutablePointer<CChar>) -> [UInt8] {
    unsafe UnsafeBufferPointer(start: text, count: strlen(text)).map { UInt8(bitPattern: $0) }
}

/// Calls a function with a C array of C strings, with nil at its end.
private func withCStrings<Value>(
    _ strings: [[UInt8]],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Value
) -> Value {
    let count = strings.count
    let list = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>.allocate(capacity: count + 1)
    unsafe list.initialize(repeating: nil, count: count + 1)
    defer { unsafe list.deallocate() }
    for (index, string) in strings.enumerated() {
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: string.count + 1)
        for (offset, byte) in string.enumerated() {
            unsafe copy[offset] = CChar(bitPattern: byte)
        }
        unsafe copy[string.count] = 0
        unsafe list[index] = copy
    }
    defer { for index in 0..<count { unsafe list[index]?.deallocate() } }
    return unsafe body(list)
}
