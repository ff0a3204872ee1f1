internal import Faults
internal import Posix
internal import SSH
internal import SSHConfig

extension Connector {
    func logIn(_ connection: Connection, _ plan: Plan, _ login: LoginAttempt) throws {
        let session = connection.session
        _ = try context.poller.wait { try session.authenticateNone(user: login.user) }
        for banner in session.takeBanners() { try writeAll(2, banner) }
        for path in plan.options.identityFile {
            let path = path.hasPrefix("~") ? context.user.home + path.dropFirst() : path
            guard let file = try? readFile(path, limit: 100000),
                let key = try? PrivateKey(text: file.bytes)
            else { continue }
            if let reply = try context.poller.wait(for: {
                try session.authenticate(user: login.user, key: key)
            }), reply == .accepted {
                return
            }
        }
        throw LoginStub(words: [
            "\(login.user)@\(plan.options.host): Permission denied (publickey)."
        ])
    }
}
struct LoginStub: Fault {
    var layer: Layer { .auth }; var summary: String { "denied" }; var words: [String]?
}
extension Reach {
    func openDirect(_ options: Options, until deadline: Instant?) throws -> Reached {
        let r = try NameLookup(NameQuery(host: options.hostname, port: UInt16(options.port)))
        while r.result == nil { try waitFor(r.number ?? 0, .read, until: nil) }
        let a = try r.result!.get().addresses
        let s = try makeStreamSocket(a[0].family)
        _ = try beginConnecting(s.number, to: a[0])
        try waitFor(s.number, .write, until: nil)
        try finishConnecting(s.number)
        try setNoDelay(s.number)
        return Reached(descriptor: s, address: a[0], carrier: NoCarrier())
    }
    func openProxy(_ command: String, _ options: Options) throws -> Reached {
        let pair = try makeSocketPair()
        let far = try pair.far.duplicate()
        _ = try spawn(
            .shell(command, shell: context.shell),
            input: .descriptor(far.number),
            output: .descriptor(far.number)
        )
        return Reached(descriptor: try pair.near.duplicate(), address: nil, carrier: NoCarrier())
    }
}
