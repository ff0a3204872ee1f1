import Faults
import SSHConfig

/// A made-up system with files, and what came of reading them.
struct Reading {
    /// Files by path.
    var files: [String: String] = [:]
    /// Files with other facts than a safe owner and 0600.
    var facts: [String: ConfigEnvironment.FileFacts] = [:]
    var variables: [String: String] = [:]
    /// Commands of Match exec that succeed.
    var commands: Set<String> = []
    /// Names the resolver knows, with their canonical names.
    var names: [String: String] = [:]
    var level = Trace.Level.info
    var isTerminal = true

    /// Everything that was said, and what ended the run.
    struct Outcome {
        var options: Options?
        var tokens: Tokens?
        var command = ""
        var wantsTerminal = false
        var said: [String] = []
        var ran: [String] = []

        /// The lines `-G` prints for a keyword, without it.
        func dump(_ keyword: String) -> [String] {
            guard let options else { return [] }
            return String(decoding: ConfigurationDump.text(options), as: UTF8.self)
                .split(separator: "\n").filter { $0.hasPrefix(keyword + " ") }
                .map { String($0.dropFirst(keyword.count + 1)) }
        }
    }

    /// Reads a text as the file of `-F`.
    static func file(
        _ text: String,
        host: String = "target",
        options: [String] = []
    ) -> Outcome {
        Reading(files: ["/config": text]).outcome(host: host, options: options)
    }

    /// Reads flags of `-o` and files.
    func outcome(
        host: String = "target",
        options: [String] = [],
        command: String = "",
        files source: OptionsResolver.Files = .only("/config")
    ) -> Outcome {
        let record = Record()
        var resolver = OptionsResolver(environment: environment(record))
        var outcome = Outcome()
        do throws(ConfigurationFault) {
            for option in options { try resolver.option(option) }
            try resolver.checkTypedNames(host)
            resolver.level = level
            let made = try resolver.resolve(
                OptionsResolver.Run(host: host, command: command, files: source)
            )
            outcome.options = made.options
            outcome.tokens = made.tokens
            outcome.command = made.command
            outcome.wantsTerminal = made.wantsTerminal
        } catch {
            record.said += error.line.map { [$0] } ?? []
        }
        outcome.said = record.said
        outcome.ran = record.ran
        return outcome
    }

    private final class Record {
        var said: [String] = []
        var ran: [String] = []
    }

    private func environment(_ record: Record) -> ConfigEnvironment {
        var environment = ConfigEnvironment(user: (name: "me", id: 1_000, home: "/home/me"))
        environment.hostName = { "box.example.org" }
        environment.variable = { variables[$0] }
        environment.homeOf = { $0 == "you" ? "/home/you" : nil }
        environment.readFile = { path in
            guard let text = files[path] else {
                return .missing(reason: "No such file or directory")
            }
            let safe = ConfigEnvironment.FileFacts(owner: 1_000, group: 1_000, mode: 0o600)
            return .contents(Array(text.utf8), facts[path] ?? safe)
        }
        environment.isPrivateGroup = { group, _ in group == 1_000 }
        environment.glob = { pattern in
            let path = pattern.replacing("~", with: "/home/me", maxReplacements: 1)
            let found = files.keys.filter { name in
                path.hasSuffix("*") ? name.hasPrefix(path.dropLast()) : name == path
            }
            return found.isEmpty ? .none : .paths(found.sorted())
        }
        environment.run = { command in
            record.ran.append(command)
            return commands.contains(command) ? .exited(0) : .exited(1)
        }
        environment.servicePort = { ["ssh": 22, "http": 80][$0] }
        environment.numericAddress = { name, _ in
            name.allSatisfy { $0.isNumber || $0 == "." || $0 == ":" } ? name : nil
        }
        environment.lookUp = { name, _ in
            names[name].map { .found(canonicalName: $0) } ?? .unknown(reason: "Name unknown")
        }
        environment.isTerminal = { isTerminal }
        environment.say = { _, line in record.said.append(line) }
        return environment
    }
}
