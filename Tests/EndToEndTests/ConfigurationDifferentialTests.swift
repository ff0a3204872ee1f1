import Foundation
import TestSupport
import Testing

/// Holds `ec2sh -G` against `ssh -G` on thousands of generated configurations and command lines.
///
/// Equal must be standard output, the exit status and everything on standard error, except for
/// what the table of allowed differences names. `EC2SH_SEED` and `EC2SH_CASES` choose others;
/// `EC2SH_BINARY` is another binary.
@Suite(.serialized)
struct ConfigurationDifferentialTests {
    typealias Answer = ConfigurationPrograms.Answer

    /// A difference that is meant.
    struct Allowed: Sendable {
        let reason: String
        /// Whether a line of standard error is left out of the comparison.
        var line: @Sendable (_ line: Substring) -> Bool = { _ in false }
        /// Whether a case is.
        var answers: @Sendable (_ ours: Answer, _ theirs: Answer) -> Bool = { _, _ in false }
    }

    static let allowed = [
        Allowed(
            reason: "-v tells what our own code does, not what OpenSSH's does",
            line: { $0.hasPrefix("debug") }
        ),
        Allowed(
            reason: "-v begins with the program's own version",
            line: { $0.hasPrefix("OpenSSH_9.2") || $0.hasPrefix("ec2sh_") }
        ),
        Allowed(
            reason: """
                a list of algorithms of which nothing is left: ssh says so, goes on with status 0 \
                and a null pointer, and prints five or fewer of the six lists; we stop
                """,
            answers: { ours, theirs in
                ours.status >> 8 == 255 && theirs.status == 0 && listCount(theirs.output) < 6
            }
        ),
    ]

    private static func listCount(_ output: [UInt8]) -> Int {
        let names = [
            "ciphers ", "macs ", "kexalgorithms ", "hostbasedacceptedalgorithms ",
            "pubkeyacceptedalgorithms ", "casignaturealgorithms ",
        ]
        return String(decoding: output, as: UTF8.self).split(separator: "\n").count { line in
            names.contains { line.hasPrefix($0) && line.count > $0.count }
        }
    }

    static let count = Int(ProcessInfo.processInfo.environment["EC2SH_CASES"] ?? "") ?? 3_200
    static let seed = UInt64(ProcessInfo.processInfo.environment["EC2SH_SEED"] ?? "") ?? 20_260_401

    @Test("-G, its status and its errors are ssh's")
    func generated() throws {
        let directory = "/tmp/ec2sh-configuration-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let binary =
            ProcessInfo.processInfo.environment["EC2SH_BINARY"] ?? builtProduct("ec2sh")
        let programs = try ConfigurationPrograms(binary: binary, directory: directory)
        let hasNamespaces =
            programs.spawn(Array(ConfigurationPrograms.namespace.prefix(2)) + ["/bin/true"]).status
            == 0
        var (clean, skipped, failures) = (0, 0, 0)
        for index in 0..<Self.count {
            let seed = Self.seed &+ UInt64(index) &* 7_919
            var generator = ConfigurationGenerator(seed: seed, directory: directory)
            let made = generator.next()
            if made.usesStandardFiles, !hasNamespaces {
                skipped += 1
                continue
            }
            let (ours, theirs) = try programs.answers(made)
            if theirs.status == 0 { clean += 1 }
            guard let difference = difference(ours, theirs) else { continue }
            failures += 1
            Issue.record("seed \(seed): \(difference)\n\(describe(made))")
            if failures == 20 { break }
        }
        print(
            "configurations: \(Self.count - skipped) compared, \(clean) of them without errors,",
            "\(skipped) skipped for want of namespaces"
        )
        // A generator that only makes errors would compare little.
        #expect(clean > Self.count / 3)
    }

    private func difference(
        _ ours: Answer,
        _ theirs: Answer
    ) -> String? {
        if Self.allowed.contains(where: { $0.answers(ours, theirs) }) { return nil }
        if ours.status != theirs.status {
            return "status \(ours.status >> 8), ssh's is \(theirs.status >> 8)\n"
                + firstDifference(lines(ours.errors), lines(theirs.errors))
        }
        if ours.output != theirs.output {
            return firstDifference(lines(ours.output), lines(theirs.output))
        }
        let (mine, other) = (compared(ours.errors), compared(theirs.errors))
        return mine == other ? nil : firstDifference(mine, other)
    }

    private func lines(_ bytes: [UInt8]) -> [Substring] {
        // Characters would join CR and LF.
        let scalars = String(decoding: bytes, as: UTF8.self).unicodeScalars
        return scalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            Substring($0)
        }
    }

    private func compared(_ errors: [UInt8]) -> [Substring] {
        lines(errors).filter { line in !Self.allowed.contains { $0.line(line) } }
    }

    private func firstDifference(_ ours: [Substring], _ theirs: [Substring]) -> String {
        for index in 0..<max(ours.count, theirs.count) {
            let mine = index < ours.count ? ours[index] : "(nothing)"
            let other = index < theirs.count ? theirs[index] : "(nothing)"
            if mine != other { return "line \(index + 1)\n  ours: \(mine)\n  ssh:  \(other)" }
        }
        return "nothing to be seen"
    }

    private func describe(_ made: ConfigurationCase) -> String {
        var text = "ssh " + made.arguments.map { "'\($0)'" }.joined(separator: " ")
        for file in made.files.prefix(5) where !file.contents.isEmpty {
            let bytes = String(decoding: file.contents, as: UTF8.self)
            text += "\n--- \(file.name)\n\(bytes)"
        }
        return text
    }
}
