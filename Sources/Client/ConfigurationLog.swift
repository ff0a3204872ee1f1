internal import Arguments
public import Faults
internal import Posix
internal import SSHConfig

extension Trace {
    /// A trace that writes to standard error as ssh's log does: nothing invisible, lines that end
    /// in CR LF.
    /// - Returns: a trace at ssh's level.
    public static func toStandardError() -> Trace {
        Trace { line in write(line, to: 2) }
    }

    /// Tells what ssh would log, in its form.
    func logSSH(_ level: Level, _ line: String) {
        say(level, level >= .debug1 ? "\(Trace.prefix(level))\(line)" : line)
    }

    private static func prefix(_ level: Level) -> String {
        "debug\(level.rawValue - Level.verbose.rawValue): "
    }

    /// Goes on in a file, for `-E`.
    func append(toFile path: String) throws(UsageFault) {
        let file: Descriptor
        do throws(SystemError) {
            file = try openFile(path, .append)
        } catch {
            throw UsageFault(["Couldn't open logfile \(path): \(error.reason)"], status: 1)
        }
        let owner = LogFile(file)
        sink = { line in Trace.write(line, to: owner.number) }
    }

    /// Goes on in the system's log, for `-y`.
    /// - Parameters:
    ///   - facility: SyslogFacility.
    ///   - program: the name the lines come from.
    func sendToSyslog(_ facility: SyslogFacility, program: String) {
        sink = { [unowned self] line in
            let (priority, prefix) = lineLevel.inSyslog
            sendToSystemLog(
                program: program,
                facility: facility.rawValue,
                priority: priority,
                prefix + visible(LosslessText.bytes(line))
            )
        }
    }

    /// A log that cannot be written is no reason to stop.
    private static func write(_ line: String, to number: Int32) {
        var bytes = LosslessText.bytes(line)
        // Nearly every line is plain; a file of noise makes very many.
        if !bytes.allSatisfy({ $0 >= 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\\") }) {
            bytes = Array(visible(bytes).utf8)
        }
        bytes += [UInt8(ascii: "\r"), UInt8(ascii: "\n")]
        do throws(SystemError) { try writeAll(number, bytes) } catch {}
    }
}

extension Trace.Level {
    /// The priority of syslog.h, and what is written before the line.
    ///
    /// C: `do_log` in log.c.
    fileprivate var inSyslog: (priority: Int32, prefix: String) {
        switch self {
        case .quiet, .fatal: (2, "fatal: ")
        case .error: (3, "error: ")
        case .info, .verbose: (6, "")
        case .debug1, .debug2, .debug3: (7, "")
        }
    }
}

/// Keeps the file of `-E` open for as long as the trace has it.
private final class LogFile {
    private let file: Descriptor

    init(_ file: consuming Descriptor) { self.file = file }

    var number: Int32 { file.number }
}
