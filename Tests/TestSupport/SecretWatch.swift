public import Foundation
import Synchronization

/// The secrets that tests have given to programs, in none of whose words they may ever appear.
///
/// Each run of a program is looked through (``ProgramRun``): what it said, and what it keeps in the
/// caches of its user. So every test of the suite is one of this, too.
public enum SecretWatch {
    private static let known = Mutex<Set<String>>([])

    /// Remembers secrets; short ones would be found everywhere and are left out.
    public static func add(_ secrets: [String]) {
        known.withLock { $0.formUnion(secrets.filter { $0.utf8.count >= 12 }) }
    }

    /// Looks for secrets in what a program said.
    /// - Returns: those that are in it.
    public static func found(in bytes: Data) -> [String] {
        known.withLock { secrets in secrets.filter { bytes.range(of: Data($0.utf8)) != nil } }
    }

    /// Looks through a run.
    /// - Throws: ``Leak``.
    static func check(_ words: [String], _ run: ProgramRun, of user: LabUser?) throws {
        // The output is the remote's; of long ones nobody makes words.
        let texts = [("its errors", run.errors), ("its output", run.output)]
        for (place, bytes) in texts where bytes.count < 1 << 20 {
            if !found(in: bytes).isEmpty { throw Leak(place: place, words: words) }
        }
        guard let user else { return }
        for name in [".cache/ec2sh", ".ssh/known_hosts"] {
            let path = user.path(name)
            let inside = FileManager.default.subpaths(atPath: path) ?? []
            for file in [path] + inside.map({ "\(path)/\($0)" }) {
                guard let bytes = FileManager.default.contents(atPath: file) else { continue }
                if !found(in: bytes).isEmpty { throw Leak(place: file, words: words) }
            }
        }
    }

    /// A secret was where it should not be.
    public struct Leak: Error, CustomStringConvertible {
        let place: String
        let words: [String]
        /// Where it was; the secret itself is not said again.
        public var description: String { "a secret is in \(place) of \(words)" }
    }
}
