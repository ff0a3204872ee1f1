// A program that does one thing with its terminal, for tests that hold the other end of it.
import Faults
import Posix
import Terminal

let trace = Trace(level: .debug1) { print($0) }
let words = CommandLine.arguments.dropFirst()

switch words.first {
case "ask":
    let prompter = Prompter(environment: environmentVariables(), trace: trace)
    let kinds: [String: Prompter.Kind] = [
        "secret": .secret, "localSecret": .localSecret, "visible": .visible,
        "permission": .permission,
    ]
    let answer = prompter.ask("prompt: ", kinds[words.last ?? ""] ?? .secret)
    print(answer.map { "answer=<\($0)>" } ?? "no answer")
default:
    print("what?")
}
