public import AWS

extension ServiceCaller {
    /// Has Systems Manager's agent on a machine list the machine's host keys.
    /// - Parameters:
    ///   - id: `i-…` or `mi-…`.
    ///   - pause: before the first look at the answer; an agent that is there has it in about half
    ///     a second. It doubles each time, up to two seconds.
    /// - Returns: empty when the command came to nothing.
    /// - Throws: ``AWS/ServiceError``; also when the task is cancelled while it waits.
    public func listedHostKeys(
        of id: String,
        pausing pause: Duration = .milliseconds(250)
    ) async throws(ServiceError) -> ListedHostKeys {
        let command = try await sendCommand(
            ListedHostKeys.command,
            to: id,
            comment: "ec2sh: the public host keys, for a login"
        )
        var pause = pause
        while true {
            do { try await Task.sleep(for: pause) } catch {
                throw ServiceError(.transport, "ssm:GetCommandInvocation: given up")
            }
            pause = min(pause * 2, longestPause)
            let found = try await commandInvocation(command, on: id)
            guard let found, found.isOver else { continue }
            return ListedHostKeys(output: found.status == "Success" ? found.output : "")
        }
    }
}

private let longestPause = Duration.seconds(2)
