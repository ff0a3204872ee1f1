internal import JSONText

/// What became of a command that Systems Manager runs on a machine.
public struct CommandInvocation: Sendable, Equatable {
    /// Such as `InProgress`, `Success` or `Failed`.
    public var status: String
    /// The first 24,000 characters that it put out.
    public var output: String

    /// Whether there is nothing to wait for.
    public var isOver: Bool {
        !["Pending", "InProgress", "Delayed", "Cancelling"].contains(status)
    }
}

extension ServiceCaller {
    /// Has a shell command run as root by a machine's agent.
    ///
    /// SSM API: `SendCommand`. IAM: `ssm:SendCommand` on the machine and on the document
    /// `AWS-RunShellScript`.
    /// - Parameters:
    ///   - command: for `/bin/sh`.
    ///   - id: `i-…` or `mi-…`.
    ///   - comment: what people who look through the commands read; at most 100 characters.
    /// - Returns: the command's id.
    /// - Throws: ``ServiceError``; `InvalidInstanceId` when the machine's agent is not there.
    public func sendCommand(
        _ command: String,
        to id: String,
        comment: String
    ) async throws(ServiceError) -> String {
        let parameters: JSON = .object(["commands": JSON(.array([JSON(.string(command))]))])
        let answer = try await json(
            .ssm,
            target: "AmazonSSM.SendCommand",
            .object([
                "DocumentName": "AWS-RunShellScript",
                "InstanceIds": JSON(.array([JSON(.string(id))])), "Parameters": parameters,
                "Comment": JSON(.string(comment)),
                // The least there is: who is away for longer is not waited for.
                "TimeoutSeconds": JSON(.number(30)),
            ])
        )
        guard let command = answer["Command"]?["CommandId"]?.string else {
            throw ServiceError(.malformed, "ssm:SendCommand: the answer names no command")
        }
        return command
    }

    /// Tells what became of a command.
    ///
    /// SSM API: `GetCommandInvocation`. IAM: `ssm:GetCommandInvocation`.
    /// - Parameters:
    ///   - command: what ``sendCommand(_:to:comment:)`` gave.
    ///   - id: the machine.
    /// - Returns: nil when the service does not know of it yet, which is so for a moment.
    /// - Throws: ``ServiceError``.
    public func commandInvocation(
        _ command: String,
        on id: String
    ) async throws(ServiceError) -> CommandInvocation? {
        do throws(ServiceError) {
            let answer = try await json(
                .ssm,
                target: "AmazonSSM.GetCommandInvocation",
                .object(["CommandId": JSON(.string(command)), "InstanceId": JSON(.string(id))])
            )
            return CommandInvocation(
                status: answer["Status"]?.string ?? "",
                output: answer["StandardOutputContent"]?.string ?? ""
            )
        } catch {
            if error.code == "InvocationDoesNotExist" { return nil }
            throw error
        }
    }
}
