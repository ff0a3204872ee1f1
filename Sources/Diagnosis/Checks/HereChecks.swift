internal import AWS
internal import Faults
internal import Posix
internal import SSH

/// What is looked at on this machine: the user's own files, the agent, the clock, the address.
struct HereChecks: Sendable {
    /// The user's home.
    let home: String
    /// The account's number.
    let user: UInt32
    /// Key files, each with whether the user has named it.
    let keyFiles: [(path: String, isNamed: Bool)]
    /// The agent's socket; nil when there is none.
    let agent: String?
    /// What AWS tells; nil when nobody is asked.
    let cloud: CloudFacts?

    var all: [Check] {
        var checks = [
            Check("here.directory", "~/.ssh", .here) { directory() },
            Check("here.key", "private keys", .here) { keys() },
            Check("here.agent", "ssh-agent", .here) { agentFinding() },
        ]
        guard let cloud else { return checks }
        checks.append(Check("here.clock", "clock", .here) { clock(await cloud.skew.value) })
        checks.append(
            Check("here.address", "own address", .here) {
                switch await cloud.address.value {
                case .success(let address): .ok("seen from outside as \(address)")
                case .failure(let error): .unknown(error.summary, error.hint)
                }
            }
        )
        return checks
    }

    private func directory() -> Finding {
        let path = "\(home)/.ssh"
        guard let facts = try? fileFacts(path: path) else { return .ok("there is none") }
        guard facts.isWritableByOthers else { return .ok("mode \(octal(facts.mode))") }
        let seen = "\(path) has mode \(octal(facts.mode))"
        return .broken(
            "others can write in \(path) (mode \(octal(facts.mode)))",
            seen: [seen],
            .run("chmod 700 \(shellWord(path))"),
            repair: .mode(path: path, from: facts.mode, to: 0o700)
        )
    }

    private func keys() -> Finding {
        let findings = keyFiles.map { judge($0.path, isNamed: $0.isNamed) }
        if let broken = findings.first(where: { $0.status == .broken }) { return broken }
        let good = findings.filter { $0.status == .ok }.map(\.says)
        return .ok(good.isEmpty ? "none of the usual names" : good.joined(separator: "; "))
    }

    private func judge(_ path: String, isNamed: Bool) -> Finding {
        let word = shellWord(path)
        let facts: FileFacts
        var bytes: [UInt8]
        do throws(SystemError) {
            facts = try fileFacts(path: path)
            if facts.kind == .regular, facts.isOpenToOthers, facts.owner == user {
                return .broken(
                    "\(path) can be read by others, and ssh takes no such key",
                    seen: ["mode \(octal(facts.mode))"],
                    .run("chmod 600 \(word)"),
                    repair: .mode(path: path, from: facts.mode, to: 0o600)
                )
            }
            bytes = try readFile(path, limit: 64 << 10).bytes
        } catch {
            if error.isNotFound {
                return isNamed
                    ? .broken("there is no \(path)", .run("ls -l ~/.ssh ~/Downloads/*.pem"))
                    : .skipped("there is no \(path)")
            }
            return .broken("\(path): \(error.reason)", .run("ls -l \(word)"))
        }
        defer { wipe(&bytes) }
        do throws(KeyFileFault) {
            let key = try KeyFile.read(bytes, path: path)
            return .ok("\(path)\(key.isEncrypted ? " (with a passphrase)" : "")")
        } catch {
            return isNamed ? .broken(error.summary, error.hint) : .skipped(error.summary)
        }
    }

    private func agentFinding() -> Finding {
        guard let agent else { return .ok("there is none") }
        do throws(SystemError) {
            let count = try Agent(path: agent).identities().count
            return .ok("\(count) \(count == 1 ? "key" : "keys")", seen: [agent])
        } catch {
            return .note(
                "nobody answers at \(agent): \(error.reason)",
                .run("unset SSH_AUTH_SOCK")
            )
        }
    }

    private func clock(_ skew: Int64?) -> Finding {
        guard let skew else { return .unknown("AWS has not answered") }
        // AWS refuses signatures that are five minutes off; ec2sh itself puts that right.
        guard abs(skew) >= 240 else { return .ok("AWS takes its time") }
        let direction = skew > 0 ? "behind" : "ahead of"
        return .broken(
            "this machine's clock is \(abs(skew)) s \(direction) AWS's",
            .run("sudo timedatectl set-ntp true")
        )
    }
}

/// As chmod(1) takes it.
func octal(_ mode: UInt32) -> String {
    let digits = String(mode & 0o7777, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
}
