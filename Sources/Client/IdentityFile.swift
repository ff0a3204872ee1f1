public import Faults
internal import Posix
public import SSH

/// Reads the files of private keys, and closes those that are open to others where that is ours
/// to do.
///
/// For a plain host everything is as with OpenSSH (`load_identity_file`, `sshkey_perm_ok`): a key
/// of ours that others can read is not used. For an instance of EC2 such a key is what the browser
/// has saved; it is set to 0600, which is what its user would be told to do.
public struct IdentityFile {
    /// What became of a file.
    public enum Loaded: Sendable {
        /// There is a key in it.
        case key(KeyFile)
        /// There is no such file.
        case missing
        /// It is there, and is not used; the reason was said.
        case unusable
    }

    /// Whether the target is treated as an instance.
    let isEC2: Bool
    /// EC2FixKeyPermissions.
    let fixesPermissions: Bool
    /// Gets the messages.
    let trace: Trace

    /// Prepares the reading of a run's key files.
    /// - Parameters:
    ///   - isEC2: whether the target is treated as an instance of EC2.
    ///   - fixesPermissions: EC2FixKeyPermissions.
    ///   - trace: gets the messages.
    public init(isEC2: Bool, fixesPermissions: Bool, trace: Trace) {
        self.isEC2 = isEC2
        self.fixesPermissions = fixesPermissions
        self.trace = trace
    }

    /// Reads one file; whatever is to be said about it is said.
    /// - Parameters:
    ///   - path: expanded; links are followed, as people have their keys behind some.
    ///   - isUserProvided: whether the user named it, so that its absence is worth a word.
    /// - Returns: what became of it. A key may still be encrypted.
    public func load(_ path: String, isUserProvided: Bool) -> Loaded {
        do {
            let file = try openFile(path, .read)
            let facts = try fileFacts(of: file.number)
            guard facts.kind != .directory else { return unreadable(path, "Is a directory") }
            if !isEC2 {
                guard isUsable(file.number, facts, path) else { return .unusable }
            }
            guard var bytes = try readToEnd(file.number, path, limit: largestFile) else {
                return unreadable(path, "File too large")
            }
            defer { wipe(&bytes) }
            let key = try KeyFile.read(bytes, path: path)
            // A public key given by mistake is left as open as it should be.
            if isEC2 {
                guard isUsable(file.number, facts, path) else { return .unusable }
            }
            if key.isMended {
                trace.debug(.debug1, .identity, "\(path): read as it was meant")
            }
            return .key(key)
        } catch let error as SystemError where error.isNotFound {
            noteMissing(path, error, isUserProvided)
            return .missing
        } catch let error as SystemError {
            return unreadable(path, error.reason)
        } catch let fault as KeyFileFault {
            say(fault)
            return .unusable
        } catch {
            return unreadable(path, "\(error)")
        }
    }

    /// Says why a file gave no key: OpenSSH's line, then what the file is.
    /// - Parameter fault: of this file or of its key.
    public func say(_ fault: KeyFileFault) {
        for line in fault.words ?? [] { trace.say(.error, line) }
        let remedy = fault.hint.map { "; \($0.text)" } ?? ""
        trace.say(.error, "ec2sh: \(fault.summary)\(remedy)")
    }

    private func unreadable(_ path: String, _ reason: String) -> Loaded {
        trace.say(.error, "Load key \"\(path)\": \(reason)")
        return .unusable
    }

    private func noteMissing(_ path: String, _ error: SystemError, _ isUserProvided: Bool) {
        let words = "no such identity: \(path): \(error.reason)"
        if isUserProvided {
            trace.say(.info, words)
        } else {
            trace.debug(.debug3, .identity, words)
        }
    }

    // MARK: - Permissions

    /// Judges the very file that was opened, and closes it to others where we may.
    private func isUsable(_ number: Int32, _ facts: FileFacts, _ path: String) -> Bool {
        guard facts.isOpenToOthers else { return true }
        let mode = octal(facts.mode)
        guard facts.owner == User.currentID else {
            // OpenSSH does not care about keys that belong to somebody else.
            if isEC2 {
                trace.say(
                    .info,
                    "ec2sh: \(path) belongs to somebody else and is readable by others (\(mode)); "
                        + "used as it is"
                )
            }
            return true
        }
        guard isEC2, fixesPermissions else {
            for line in unprotected(path, mode) { trace.say(.error, line) }
            trace.say(.error, "Load key \"\(path)\": bad permissions")
            return false
        }
        if let reason = reasonNotClosed(number) {
            trace.say(
                .info,
                "ec2sh: \(path) is readable by others (\(mode)) and cannot be set to 0600 "
                    + "(\(reason)); used as it is"
            )
        } else {
            trace.say(.info, "ec2sh: \(path) was readable by others (\(mode)); set to 0600")
        }
        return true
    }

    /// Sets the file to 0600.
    /// - Returns: why it is still open to others; nil when it is closed.
    private func reasonNotClosed(_ number: Int32) -> String? {
        do throws(SystemError) {
            try setPermissions(of: number, 0o600)
            // FAT, and disks of Windows in its Linux, take the call and keep their own bits.
            let isOpen = try fileFacts(of: number).isOpenToOthers
            return isOpen ? "its file system keeps no permissions" : nil
        } catch {
            return error.reason
        }
    }

    private func unprotected(_ path: String, _ mode: String) -> [String] {
        [
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
            "@         WARNING: UNPROTECTED PRIVATE KEY FILE!          @",
            "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@",
            "Permissions \(mode) for '\(path)' are too open.",
            "It is required that your private key files are NOT accessible by others.",
            "This private key will be ignored.",
        ]
    }

    /// As C's `0%3.3o`, of the nine bits.
    private func octal(_ mode: UInt32) -> String {
        let digits = String(mode & 0o777, radix: 8)
        return "0" + String(repeating: "0", count: max(0, 3 - digits.count)) + digits
    }

    /// The largest real key, RSA with 16,384 bits, has 13 KB.
    private let largestFile = 1 << 20
}
