internal import Posix
internal import Terminal

/// Brings questions of the AWS side, such as for the code of a device, to who sits at the terminal.
final class CloudQuestions: Source {
    private struct Question: Sendable {
        let text: String
        let answer: CheckedContinuation<String?, Never>
    }

    private let mailbox: Mailbox<Question>
    private let prompter: Prompter

    init(_ prompter: Prompter) throws(SystemError) {
        mailbox = try Mailbox()
        self.prompter = prompter
    }

    /// Asks from any thread.
    var ask: @Sendable (String) async -> String? {
        let mailbox = mailbox
        return { text in
            await withCheckedContinuation { mailbox.send(Question(text: text, answer: $0)) }
        }
    }

    var deadline: Instant? { nil }
    func watch(_ set: inout PollSet) { _ = set.watch(mailbox.number, .read) }
    func ready(_ set: PollSet, now: Instant) {
        for question in mailbox.take() {
            question.answer.resume(returning: prompter.ask(question.text))
        }
    }
}
