internal import Faults
internal import JSONText
internal import Posix

// Programs that give keys: `credential_process`, and the AWS CLI for what is not known here.
extension CredentialChain {
    func processCredentials(_ profile: String) async throws(ServiceError) -> Credentials? {
        guard let line = section(profile).text("credential_process") else { return nil }
        guard let words = shellWords(line), let program = words.first else {
            throw refused("the credential_process of \(quoted(profile)) is no command line")
        }
        let command = Command(expand(program, [:], home: settings.home), Array(words.dropFirst()))
        switch await run(command) {
        case .failure(let error):
            throw refused("the credential_process of \(quoted(profile)): \(error.summary)")
        case .success(let result):
            return try credentials(from: result, "the credential_process of \(quoted(profile))")
        }
    }

    /// What `aws login` left; its renewal is left to the CLI.
    func loginCredentials(_ profile: String) async throws(ServiceError) -> Credentials? {
        guard let session = section(profile).text("login_session") else { return nil }
        let login = "aws login --profile \(shellWord(profile))"
        let cache = CredentialCache(settings.paths.loginCache)
        guard let keys = cache.read(sha256(session))?["accessToken"],
            let id = keys["accessKeyId"]?.string, let secret = keys["secretAccessKey"]?.string,
            let end = keys["expiresAt"]?.string.flatMap({ Timestamp($0) })
        else {
            throw refused("nobody has logged in for \(quoted(profile))", hint: .run(login))
        }
        if end.seconds - exchange.now.seconds > loginMargin {
            return Credentials(
                accessKeyID: id,
                secretAccessKey: secret,
                sessionToken: keys["sessionToken"]?.string,
                expiration: end
            )
        }
        if let renewed = try? await exportedCredentials(profile) { return renewed }
        throw refused(
            "the login for \(quoted(profile)) has ended at \(end.iso("Z"))",
            hint: .run(login)
        )
    }

    /// Asks the AWS CLI, if there is one.
    func exportedCredentials(_ profile: String) async throws(ServiceError) -> Credentials? {
        var command = Command(
            "aws",
            ["configure", "export-credentials", "--profile", profile, "--format", "process"]
        )
        // A process that asks us, asked by us through the CLI, would go on for ever.
        if settings.variable(guardian) != nil { return nil }
        command.environment = .inherited(changes: [guardian: "1"])
        guard case .success(let result) = await run(command, errors: .null),
            result.status.isSuccess
        else { return nil }
        return try credentials(from: result, "aws configure export-credentials")
    }

    /// Runs a program on a thread of its own, for it may wait for a person.
    private func run(
        _ command: Command,
        errors: ChildStream = .inherited
    ) async -> Result<CommandResult, SystemError> {
        await withCheckedContinuation { continuation in
            let work: @Sendable () -> Void = {
                do throws(SystemError) {
                    let deadline = readClock().advanced(by: patience)
                    let result = try runToEnd(command, errors: errors, until: deadline)
                    continuation.resume(returning: .success(result))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            do throws(SystemError) {
                _ = try Helper<Void>(work)
            } catch {
                continuation.resume(returning: .failure(error))
            }
        }
    }

    private func credentials(
        from result: CommandResult,
        _ name: String
    ) throws(ServiceError) -> Credentials {
        switch result.status {
        case .exited(0): break
        case .exited(let status): throw refused("\(name) has failed with status \(status)")
        default: throw refused("\(name) was killed, or took too long")
        }
        guard let json = try? JSON.parse(result.output), json["Version"]?.integer == 1,
            let credentials = Credentials(json: json)
        else { throw refused("\(name) gave no keys of version 1") }
        if json["Expiration"]?.string != nil && credentials.expiration == nil {
            throw refused("\(name) gave an Expiration that is no time")
        }
        return credentials
    }
}

/// Keeps the chain from asking itself by way of the CLI.
private let guardian = "_EC2SH_CREDENTIALS"

/// Somebody may have to log in by a browser.
private let patience = Duration.seconds(300)

/// Seconds before their end at which the keys of `aws login` are renewed.
private let loginMargin: Int64 = 300
