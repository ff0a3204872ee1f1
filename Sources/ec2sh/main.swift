internal import Arguments
internal import Client
internal import Diagnosis
internal import Faults
internal import Posix
internal import SSHConfig
internal import Terminal

prepareDescriptors()
let trace = Trace.toStandardError()
let arguments = rawArguments().map { LosslessText.string($0) }

do {
    exitProcess(try start(Invocation(arguments: arguments), trace))
} catch let fault as UsageFault {
    // Said whatever LogLevel is.
    printLines(fault.lines)
    exitProcess(fault.status)
} catch {
    report(error, to: trace)
}
exitProcess(255)

/// Does what the command line asks for.
func start(_ invocation: Invocation, _ trace: Trace) throws -> Int32 {
    guard let user = User.find(id: User.currentID) else {
        throw ConfigurationFault("No user exists for uid \(User.currentID)")
    }
    let request = { (invocation: Invocation) in
        try Request(
            invocation,
            user: (name: user.name, id: user.id, home: user.home),
            trace: trace,
            version: "ec2sh_0.1.0 OpenSSH_9.2-compatible, libssh/0.10"
        )
    }
    switch try request(invocation) {
    case .print(let output, let errors):
        printLines(errors)
        try writeAll(1, output)
        return 0
    case .run(let configuration):
        let environment = environmentVariables()
        let context = Context(
            poller: Poller(signals: try Signals()),
            trace: trace,
            prompter: Prompter(environment: environment, trace: trace),
            environment: environment,
            user: user,
            configuration: configuration
        )
        switch invocation.verb {
        case .proxy:
            var run = try ProxyRun(in: context)
            return try run.run()
        case .list:
            return try ListRun(in: context).run()
        case .attach:
            let run = try AttachRun(in: context) { invocation in
                guard case .run(let configuration) = try request(invocation) else {
                    throw UsageFault(invocation)
                }
                return configuration
            }
            return try run.run()
        case .doctor:
            return try DoctorRun(in: context).run()
        case .fix:
            return try FixRun(in: context).run()
        case nil:
            do {
                return try Run(in: context).run()
            } catch let stopped as Stopped {
                report(stopped, explainedBy: FailedLogin(stopped, in: context).cause(), to: trace)
                return 255
            }
        }
    }
}
