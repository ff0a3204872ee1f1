internal import EC2

/// Asks an account that exists only to be refused (root, on most images) who the right user is.
///
/// The answer comes at once, and the server then sleeps ten seconds, which are not waited for. What
/// the user wants done is never run here: the command is `true`.
struct UserQuestion {
    /// An account that works says nothing; who does not answer by then has nothing to say.
    private static let patience = Duration.seconds(5)

    private let connection: Connection
    private let context: Context

    init(_ connection: Connection, in context: Context) {
        self.connection = connection
        self.context = context
    }

    /// - Returns: the user the server names; nil when it names none.
    /// - Throws: the fault that ended the connection.
    func ask() throws -> String? {
        let output = try connection.output(
            of: "true",
            in: context,
            within: UserQuestion.patience
        ) { UserHint.user(in: $0) != nil }
        return UserHint.user(in: output)
    }
}
