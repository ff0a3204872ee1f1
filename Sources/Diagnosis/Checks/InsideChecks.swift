internal import AWS
internal import Client
internal import Faults

/// The instance's own system, as the user sees it who was let in.
struct InsideChecks: Sendable {
    let trials: Fact<Trials>
    let host: String

    var all: [Check] {
        [
            check("permissions", "files that sshd looks at") { permissions($0) },
            check("disk", "disks") { disks($0) },
            check("memory", "memory") { memory($0) },
            check("sshd", "sshd's configuration") { configuration($0) },
        ]
    }

    private func check(
        _ name: String,
        _ title: String,
        _ judge: @escaping @Sendable (InsideFacts) -> Finding
    ) -> Check {
        Check("inside.\(name)", title, .inside, dependsOn: ["login.accepted"]) {
            guard let answer = await trials.value.inside else {
                return .skipped("nobody is logged in")
            }
            let facts = InsideFacts(answer)
            guard facts.user != nil else {
                return .unknown("what answers over there is no shell", seen: firstLine(answer))
            }
            return judge(facts)
        }
    }

    private func firstLine(_ answer: [UInt8]) -> [String] {
        answer.split(separator: UInt8(ascii: "\n")).prefix(1).map { visible($0.prefix(200)) }
    }

    /// sshd takes no key of a user whose files others could have written (StrictModes).
    private func permissions(_ facts: InsideFacts) -> Finding {
        let wrong = facts.files.filter { file in
            file.mode & 0o022 != 0 || file.owner != facts.user && file.owner != 0
        }.sorted { $0.mode & 0o002 > $1.mode & 0o002 }
        let seen = facts.files.map { "\($0.path) has mode \(octal($0.mode)), owner \($0.owner)" }
        guard let first = wrong.first else { return .ok("as they should be", seen: seen) }
        let isForeign = first.owner != facts.user && first.owner != 0
        let what =
            isForeign
            ? "belongs to the user number \(first.owner)"
            : "can be written by others (mode \(octal(first.mode)))"
        let command =
            isForeign ? "sudo chown $(id -u) \(first.path)" : "chmod go-w \(first.path)"
        let remedy = Hint.run("ec2sh \(shellWord(host)) \(shellWord(command))")
        // Debian's and Ubuntu's sshd lets the group write that is the user's own.
        guard wrong.contains(where: { $0.mode & 0o002 != 0 || $0.owner != facts.user }) else {
            return .note("\(first.path) \(what), which some sshd do not take", seen: seen, remedy)
        }
        return .broken(
            "\(first.path) \(what), so that sshd takes no key of authorized_keys",
            seen: seen,
            remedy
        )
    }

    private func disks(_ facts: InsideFacts) -> Finding {
        let sorted = facts.disks.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        guard let fullest = sorted.first else { return .unknown("df has said nothing") }
        let seen = sorted.map { "\($0.key) is \($0.value) % full" }
        let remedy = Hint.run(
            "ec2sh \(shellWord(host)) 'sudo du -xh \(fullest.key) | sort -h | tail -20'"
        )
        switch fullest.value {
        case 100...: return .broken("\(fullest.key) is full", seen: seen, remedy)
        case 95...: return .note("\(fullest.key) is \(fullest.value) % full", seen: seen, remedy)
        default: return .ok("\(fullest.key) is \(fullest.value) % full", seen: seen)
        }
    }

    private func memory(_ facts: InsideFacts) -> Finding {
        guard let total = facts.memory.total, let available = facts.memory.available, total > 0
        else { return .unknown("the system tells nothing of it") }
        let says = "\(available / 1024) of \(total / 1024) MiB can be had"
        guard available < total / 20 else { return .ok(says) }
        return .note(
            says,
            .run("ec2sh \(shellWord(host)) 'ps -eo rss,comm --sort=-rss | head'")
        )
    }

    private func configuration(_ facts: InsideFacts) -> Finding {
        guard let complaints = facts.complaints else {
            return .skipped("only root can ask sshd")
        }
        guard let first = complaints.first else { return .ok("sshd -t has nothing against it") }
        return .broken(
            "sshd would not start again: \(first)",
            seen: complaints,
            .run("ec2sh \(shellWord(host)) 'sudo sshd -t'")
        )
    }
}
