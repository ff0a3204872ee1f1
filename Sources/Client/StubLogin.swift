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
