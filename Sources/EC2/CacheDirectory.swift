internal import Faults
internal import Posix

/// A directory of the cache that is ours alone, with files that may vanish at any time.
///
/// Nothing here ever fails a run: what cannot be read is as good as not there.
struct CacheDirectory: Sendable {
    let path: String

    /// Finds the place by the XDG base directory specification.
    /// - Parameters:
    ///   - name: the directory's name below `ec2sh`.
    ///   - environment: XDG_CACHE_HOME counts when it is an absolute path.
    ///   - home: the home directory; nil when there is none, which gives nil without XDG's word.
    init?(_ name: String, environment: [String: String], home: String?) {
        if let cache = environment["XDG_CACHE_HOME"], cache.hasPrefix("/") {
            path = "\(cache)/ec2sh/\(name)"
        } else if let home, home.hasPrefix("/") {
            path = "\(home)/.cache/ec2sh/\(name)"
        } else {
            return nil
        }
    }

    /// The path of the file for a subject.
    ///
    /// Letters, digits, dots and dashes stand for themselves, everything else as `%XX`.
    /// - Parameter subject: any text, in lower case.
    /// - Returns: a path, whether the file is there or not.
    func file(_ subject: String) -> String {
        var name = ""
        for byte in subject.utf8 {
            switch byte {
            case 0x30...0x39, 0x61...0x7a, UInt8(ascii: "-"), UInt8(ascii: "_"):
                name.unicodeScalars.append(Unicode.Scalar(byte))
            // A name of dots alone would be a directory.
            case UInt8(ascii: ".") where !name.isEmpty:
                name += "."
            default:
                name += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        // The longest DNS name has 253 characters, the longest file name 255.
        return "\(path)/\(String(name.suffix(200)))"
    }

    /// Reads a file that nobody else can have written.
    /// - Parameters:
    ///   - path: the file.
    ///   - limit: the most bytes that are read.
    ///   - note: gets a sentence when the file is there and cannot be used.
    /// - Returns: nil when it cannot be used.
    static func read(_ path: String, limit: Int, note: (String) -> Void) -> [UInt8]? {
        do throws(SystemError) {
            let file = try readFile(path, limit: limit, followingLinks: false)
            let facts = file.facts
            if facts.kind == .regular, facts.owner == User.effectiveID, !facts.isWritableByOthers {
                return file.bytes
            }
            note("\(path) is not ours alone, not used")
        } catch {
            if !error.isNotFound { note("\(error.summary), not used") }
        }
        return nil
    }

    /// Opens what processes lock that find out the same.
    /// - Parameters:
    ///   - path: the file with what they find out, in this directory; the lock stands beside it.
    ///   - note: gets a sentence when there can be no lock.
    /// - Returns: not locked yet; nil when there can be none.
    func makeLock(_ path: String, note: (String) -> Void) -> CacheLock? {
        do throws(SystemError) {
            try makePrivateDirectory(self.path)
            let path = path + ".lock"
            return CacheLock(try openFile(path, .readWrite, followingLinks: false), path)
        } catch {
            note("what is remembered cannot be locked: \(error.summary)")
            return nil
        }
    }

    /// Puts a file in place in one step.
    /// - Parameters:
    ///   - path: the file, in this directory.
    ///   - bytes: all that it will hold.
    /// - Throws: ``SystemError``.
    func write(_ path: String, _ bytes: [UInt8]) throws(SystemError) {
        try makePrivateDirectory(self.path)
        try writeFileAtomically(path, bytes)
    }
}
