// A program that does one thing with its terminal, for tests that hold the other end of it.
import Faults
import Glibc
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
case "raw":
    // Shows each byte; some are commands of how to end.
    let raw = RawMode()
    do {
        try raw.enter()
        print("ready", terminator: "\r\n")
        fflush(nil)
        var byte: UInt8 = 0
        while read(0, &byte, 1) == 1 {
            switch byte {
            case UInt8(ascii: "q"):
                try raw.leave()
                print("left")
                exit(0)
            case UInt8(ascii: "e"): exit(3)
            case UInt8(ascii: "a"): abort()
            case UInt8(ascii: "t"): preconditionFailure("asked for")
            case UInt8(ascii: "s"):
                try raw.suspend()
                print("resumed", terminator: "\r\n")
            default: print("byte \(byte)", terminator: "\r\n")
            }
            fflush(nil)
        }
    } catch {
        print(error)
    }
case "background":
    do {
        try continueInBackground()
        print("leads=\(getsid(0) == getpid()) terminal=\(isInForeground(0))")
    } catch {
        print(error)
    }
case "descriptors":
    prepareDescriptors()
    let open = (0..<64).filter { fcntl($0, F_GETFD) != -1 }
    try writeAll(2, Array("open: \(open)\n".utf8))
default:
    print("what?")
}
