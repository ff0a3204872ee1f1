internal import Client
internal import Diagnosis
internal import Faults
internal import Posix
internal import SSHConfig

// The rules of what is printed, all of it on standard error:
//
// 1. Where OpenSSH has words for a failure, they are printed, since tools read them; where it has
//    none, `ec2sh: error: ` and one line: lower case, no full stop.
// 2. `ec2sh: hint: ` and one line follows when a remedy is known.
// 3. `-q` silences both, as it does ssh's own errors; `-v` shows the causes.

/// Prints what ended the run.
/// - Parameters:
///   - error: what was thrown.
///   - finding: what explains it; its remedy stands in for the error's own.
///   - trace: where it goes.
func report(_ error: any Error, explainedBy finding: Finding? = nil, to trace: Trace) {
    guard let fault = error as? any Fault else {
        trace.say(.fatal, "ec2sh: error: \(error)")
        return
    }
    for line in fault.words ?? ["ec2sh: error: \(fault.summary)"] { trace.say(.fatal, line) }
    if let finding { trace.say(.fatal, "ec2sh: error: \(visible(finding.says.utf8))") }
    if let hint = finding?.remedy ?? fault.hint { trace.say(.fatal, "ec2sh: hint: \(hint.text)") }
    var cause = fault.cause
    while let below = cause {
        trace.debug(.debug1, fault.layer, "because: \(below)")
        cause = (below as? any Fault)?.cause
    }
}

/// Prints lines that are no log and that no LogLevel silences.
/// - Parameter lines: without line ends.
func printLines(_ lines: [String]) {
    for line in lines {
        do throws(SystemError) {
            try writeAll(2, LosslessText.bytes(line) + [UInt8(ascii: "\n")])
        } catch {
            return
        }
    }
}
