internal import Posix

/// One question on the terminal, as readpassphrase(3) asks it.
///
/// Whatever signal comes while the answer is typed, the terminal is put in order first; then the
/// signal does what it means. A stopped process asks again when it goes on.
struct TerminalQuestion {
    /// The longest answer: readpass.c has room for 1023 bytes and a zero.
    static let longestAnswer = 1023

    let path: String
    let prompt: String
    let isShown: Bool
    /// Whether standard input and error serve where the terminal cannot be opened.
    let allowsStandardInput: Bool

    private enum Outcome {
        case answered([UInt8])
        case ended
        case interrupted
    }

    /// - Returns: nil when there is no terminal, at its end, and when a signal ended the question.
    func ask() -> [UInt8]? {
        guard let terminal = try? openFile(path, .device) else {
            return allowsStandardInput ? ask(reading: 0, writing: 2, hidesInput: false) : nil
        }
        return ask(reading: terminal.number, writing: terminal.number, hidesInput: !isShown)
    }

    private func ask(reading input: Int32, writing output: Int32, hidesInput: Bool) -> [UInt8]? {
        while true {
            guard let signals = try? HeldSignals() else { return nil }
            let outcome = ask(reading: input, writing: output, hidesInput, signals)
            let came = signals.release()
            came.forEach(sendToSelf)
            switch outcome {
            case .answered(let bytes): return bytes
            case .ended: return nil
            case .interrupted:
                if came.allSatisfy({ !TerminalQuestion.stops.contains($0) }) { return nil }
            }
        }
    }

    private static let ends: [Signal] = [.hangup, .interrupt, .quit, .terminate]
    private static let stops: [Signal] = [.terminalStop, .terminalInput, .terminalOutput]

    private func ask(
        reading input: Int32,
        writing output: Int32,
        _ hidesInput: Bool,
        _ signals: HeldSignals
    ) -> Outcome {
        // In the background this stops the process (SIGTTOU), so that signal is held only after.
        let former = hidesInput ? try? TerminalSettings(of: input) : nil
        signals.hold(TerminalQuestion.ends + [.terminalStop, .terminalInput])
        change(input, to: former?.withoutEcho, signals)
        signals.hold([.terminalOutput])

        try? writeAll(output, Array(prompt.utf8))
        let outcome = readLine(input, signals)
        if former?.hasEcho == true { try? writeAll(output, [UInt8(ascii: "\n")]) }
        change(input, to: former, signals)
        return outcome
    }

    /// Changes the modes, again for as long as signals interrupt that; a background process is told
    /// so by SIGTTOU and leaves the terminal alone.
    private func change(_ number: Int32, to settings: TerminalSettings?, _ signals: HeldSignals) {
        while let settings {
            do throws(SystemError) {
                return try settings.apply(to: number, .flushed)
            } catch {
                if !error.isInterruption || signals.hasCome(.terminalOutput) { return }
            }
        }
    }

    private func readLine(_ number: Int32, _ signals: HeldSignals) -> Outcome {
        var line: [UInt8] = []
        line.reserveCapacity(TerminalQuestion.longestAnswer)
        while true {
            switch signals.readByte(number) {
            case .signal:
                wipe(&line)
                return .interrupted
            case .end:
                return line.isEmpty ? .ended : .answered(line)
            case .byte(UInt8(ascii: "\n")), .byte(UInt8(ascii: "\r")):
                return .answered(line)
            case .byte(let byte):
                if line.count < TerminalQuestion.longestAnswer { line.append(byte) }
            }
        }
    }
}
