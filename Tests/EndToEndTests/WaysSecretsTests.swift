import Foundation
import TestSupport
import Testing

/// Secrets stay where they were: not in what is said with -vvv, not in logs, not in files, and not
/// in command lines and environments.
///
/// ``SecretWatch`` looks for accounts' keys in all runs of the suite; here are all kinds of secrets,
/// and all places.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysSecretsTests {
    private let cloud: CloudClient
    private let web: CloudAccount.Instance
    private let key: CloudAccount.Key
    private let log: String
    private let question = CloudClient.question

    private static let password = "correct horse"
    private static let passphrase = "a passphrase that is no word"
    private static let code = "918273645546"

    init() async throws {
        cloud = try await CloudClient()
        web = try await cloud.aws.launch("web")
        // One with a session token, in a file: what is in no variable can be in no child's.
        key = try await cloud.aws.anotherKey(lifetime: 3600)
        log = cloud.user.path("log")
        try cloud.user.write(
            ".aws/credentials",
            """
            [default]
            aws_access_key_id = \(key.id)
            aws_secret_access_key = \(key.secret)
            aws_session_token = \(key.token ?? "")
            """
        )
        try cloud.user.write(".aws/config", "[default]\nregion = eu-central-1\n")
    }

    private var user: LabUser { cloud.user }
    private var environment: [String: String] {
        ["AWS_CA_BUNDLE": cloud.aws.cloud.ca, "AWS_EC2_METADATA_DISABLED": "true"]
    }

    /// Runs something with all that can be watched watched, and expects to find no secret.
    private func watch(
        _ more: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation,
        _ body: () async throws -> String
    ) async throws {
        let watch = ProcessWatch(user)
        let given = user.files()
        let said = try await body()
        let (words, variables) = watch.end()
        #expect(words.contains { $0.hasSuffix("ec2sh") }, sourceLocation: sourceLocation)
        var secrets = try await cloud.aws.secrets() + more
        let pem = try #require(user.contents("key.pem"))
        secrets += pem.split(separator: "\n").map(String.init).filter { !$0.hasPrefix("-----") }
        #expect(secrets.count > 10, sourceLocation: sourceLocation)

        var places: [String: String] = [
            "what was said": said, "the log": user.contents("log") ?? "",
            "command lines": words.joined(separator: "\n"),
            "environments": variables.joined(separator: "\n"),
        ]
        for (name, facts) in user.files() where given[name] != facts {
            // The aws command's own place for the keys of roles, as it keeps them.
            if name.hasPrefix(".aws/cli/cache/") {
                let isClosed = facts.hasPrefix("600 ") || facts.hasSuffix(" -")
                #expect(isClosed, "\(name)", sourceLocation: sourceLocation)
                continue
            }
            let bytes = FileManager.default.contents(atPath: user.path(name)) ?? Data()
            places[name] = String(decoding: bytes, as: UTF8.self)
        }
        for (place, text) in places {
            for secret in secrets where text.contains(secret) {
                Issue.record("a secret is in \(place)", sourceLocation: sourceLocation)
            }
        }
    }

    /// As much as it says, in words and in a log.
    private func run(
        _ arguments: [String],
        _ more: [String: String] = [:]
    ) async throws -> String {
        let run = try await cloud.client.run(
            ["-vvv"] + arguments,
            environment: environment.merging(more) { $1 },
            limit: .seconds(60)
        )
        let logged = try await cloud.client.run(
            ["-vvv", "-E", log] + arguments,
            environment: environment.merging(more) { $1 },
            limit: .seconds(60)
        )
        #expect(logged.status == run.status, "\(run.errorText)")
        return run.errorText + run.outputText + logged.errorText + logged.outputText
    }

    @Test(
        "A login, by each way, tells none of them",
        arguments: [("direct", true), ("endpoint", true), ("ssm", true), ("direct", false)]
    )
    func ways(way: String, acceptsKey: Bool) async throws {
        let one =
            acceptsKey ? web : try await cloud.aws.launch("pushed", ["accepts_key": false])
        try await cloud.aws.endpoint()
        // Each websocket has a token of its own.
        try await cloud.aws.order("plan", ["hour": 0.5])
        try await watch {
            let said = try await run(
                CloudClient.only(way) + [one.id, "sleep 1; \(question)"]
            )
            #expect(said.contains("\(one.id) \(one.user)\n"), "\(said)")
            return said
        }
    }

    @Test("A signature that AWS does not believe is told without what was signed")
    func refusedSignature() async throws {
        _ = try await run([web.id, question])
        let text = try #require(user.contents(".aws/credentials"))
        let wrong = String(repeating: "x", count: 40)
        try user.write(".aws/credentials", text.replacingOccurrences(of: key.secret, with: wrong))
        try await watch([wrong]) {
            let said = try await run(CloudClient.only("ssm") + [web.id, question])
            #expect(said.contains("does not match the signature you provided"), "\(said)")
            return said
        }
    }

    @Test("A role's keys and the code of a device stay between AWS and the aws command's cache")
    func role() async throws {
        let serial = "arn:aws:iam::\(cloud.aws.id):mfa/jane"
        try await cloud.aws.order("device", ["serial": .text(serial), "code": .text(Self.code)])
        try user.write(
            ".aws/config",
            """
            [profile admin]
            region = eu-central-1
            role_arn = arn:aws:iam::\(cloud.aws.id):role/admin
            source_profile = default
            mfa_serial = \(serial)
            """
        )
        let place = try Workplace()
        let words =
            [cloud.client.binary] + cloud.client.options
            + ["-vvv", "-o", "EC2Profile=admin", web.id, question]
        let number = "\(user.number)"
        let variables = place.environment(environment).merging(["HOME": user.home]) { $1 }
        let (home, answer) = (user.home, "\(web.id) \(web.user)")
        try await watch([Self.code]) {
            try await withCheckedThrowingContinuation { continuation in
                Thread.detachNewThread {
                    continuation.resume(
                        with: Result {
                            let terminal = PseudoTerminal()
                            let become = [
                                "/usr/bin/env", "-C", home, "/usr/bin/setpriv", "--reuid", number,
                                "--regid", number, "--clear-groups", "--",
                            ]
                            try terminal.start(become + words, environment: variables)
                            var shown = try terminal.wait(for: "Enter MFA code for \(serial): ")
                            terminal.type(Self.code + "\n")
                            // What is typed is shown by the terminal itself, once.
                            try terminal.wait(for: "\n")
                            shown += try terminal.wait(for: answer)
                            #expect(try terminal.waitForEnd() == .exited(0))
                            return shown
                        }
                    )
                }
            }
        }
    }

    @Test("A key's passphrase and a password go no further than the answer")
    func answers() async throws {
        try await cloud.aws.order("plan", ["keys": 30])
        let strict = try await cloud.aws.launch(
            "strict",
            [
                "settings": [
                    "AuthenticationMethods publickey,password", "PasswordAuthentication yes",
                ]
            ]
        )
        let made = try await ProgramRun.run(
            [
                "/usr/bin/ssh-keygen", "-q", "-p", "-f", user.path("key.pem"), "-P", "", "-N",
                Self.passphrase,
            ],
            as: user
        )
        #expect(made.status == 0, "\(made.errorText)")
        let askpass = """
            #!/bin/sh
            case $1 in *passphrase*) echo '\(Self.passphrase)';; *) echo '\(Self.password)';; esac
            """
        let asking = [
            "SSH_ASKPASS": try user.write("askpass", askpass, mode: 0o755),
            "SSH_ASKPASS_REQUIRE": "force", "DISPLAY": ":0",
        ]
        try await watch([Self.passphrase, Self.password]) {
            let said = try await run(["-l", strict.user, strict.id, question], asking)
            #expect(said.contains("\(strict.id) \(strict.user)\n"), "\(said)")
            return said
        }
    }

    @Test("Children get none: a proxy's, a master's in the background, and commands of the user's")
    func children() async throws {
        try await cloud.aws.order("plan", ["hour": 0.5])
        try user.write(
            "tell",
            "#!/bin/sh\ntr '\\0' '\\n' </proc/$PPID/cmdline >>\(user.path("parents"))\nenv >>\(user.path("parents"))\n",
            mode: 0o755
        )
        let persist = [
            "-o", "ControlMaster=auto", "-o", "ControlPersist=2", "-o",
            "ControlPath=\(user.path("master"))",
        ]
        try await watch {
            var said = try await run(
                CloudClient.only("ssm") + persist + [
                    "-o", "PermitLocalCommand=yes", "-o", "LocalCommand=\(user.path("tell"))",
                    web.id, question,
                ]
            )
            #expect(said.contains("\(web.id) \(web.user)\n"), "\(said)")
            let proxy = "\(cloud.client.binary) proxy -vvv %h %p %r"
            let ssh = try await ProgramRun.run(
                [
                    "/usr/bin/ssh", "-vvv", "-i", user.path("key.pem"), "-o",
                    "StrictHostKeyChecking=no", "-o", "ProxyCommand=\(proxy)", "-l", web.user,
                    web.id, question,
                ],
                as: user,
                environment: environment
            )
            #expect(ssh.outputText == "\(web.id) \(web.user)\n", "\(ssh.errorText)")
            said += ssh.errorText
            let told = try #require(user.contents("parents"))
            #expect(told.contains("HOME="), "\(told)")
            return said
        }
    }

    @Test("The system's log gets none")
    func systemLog() async throws {
        let path = try user.write("log.py", systemLogScript(as: user))
        try await watch {
            let run = try await ProgramRun.run(
                ["/usr/bin/unshare", "--mount", "/usr/bin/python3", path, cloud.client.binary]
                    + cloud.client.options + ["-y", "-vvv"] + CloudClient.only("ssm")
                    + [web.id, "true"],
                environment: environment,
                directory: user.home
            )
            #expect(run.outputText.contains("Session "), "\(run.outputText) \(run.errorText)")
            #expect(run.outputText.contains("\n0 "), "\(run.outputText) \(run.errorText)")
            return run.outputText + run.errorText
        }
    }
}
