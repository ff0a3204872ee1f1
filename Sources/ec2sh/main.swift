internal import Arguments
internal import Client
internal import Faults
internal import Posix
internal import SSHConfig

let trace = Trace.toStandardError()
let arguments = rawArguments().map { LosslessText.string($0) }

do {
    try start(Invocation(arguments: arguments), trace)
} catch let fault as UsageFault {
    // Said whatever LogLevel is.
    report(fault.lines)
    exitProcess(255)
} catch let fault as any Fault {
    for line in fault.words ?? ["ec2sh: error: \(fault.summary)"] { trace.say(.fatal, line) }
    exitProcess(255)
}

/// Does what the command line asks for.
func start(_ invocation: Invocation, _ trace: Trace) throws {
    guard let user = User.find(id: User.currentID) else {
        throw ConfigurationFault("No user exists for uid \(User.currentID)")
    }
    let request = try Request(
        invocation,
        user: (name: user.name, id: user.id, home: user.home),
        trace: trace,
        version: "ec2sh_0.1.0 OpenSSH_9.2-compatible, libssh/0.10"
    )
    switch request {
    case .print(let output, let errors):
        report(errors)
        try writeAll(1, output)
        exitProcess(0)
    case .run:
        throw ConfigurationFault("ec2sh cannot connect yet")
    }
}

/// Prints lines that are no log.
func report(_ lines: [String]) {
    for line in lines { try? writeAll(2, LosslessText.bytes(line) + [UInt8(ascii: "\n")]) }
}
