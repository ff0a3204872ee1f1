internal import AWS
internal import Faults

/// What the system over there tells of itself to a user who is logged in.
public struct InsideFacts: Sendable, Equatable {
    /// A file that sshd looks at before it takes a key (sshd_config(5), StrictModes).
    public struct File: Sendable, Equatable {
        /// Its path.
        public let path: String
        /// Its permission bits.
        public let mode: UInt32
        /// Who owns it.
        public let owner: UInt32
    }

    /// The user's number; nil when nothing was understood.
    public private(set) var user: UInt32?
    /// How full the disks are, in percent, by where they are mounted.
    public private(set) var disks: [String: Int] = [:]
    /// Kilobytes of memory that are there, and that can be had.
    public private(set) var memory: (total: Int?, available: Int?) = (nil, nil)
    /// The home, `.ssh` and `authorized_keys`, as far as they are there.
    public private(set) var files: [File] = []
    /// What sshd says against its own configuration; nil when it could not be asked.
    public private(set) var complaints: [String]?

    /// Two of them are the same when all they tell is.
    public static func == (left: InsideFacts, right: InsideFacts) -> Bool {
        left.user == right.user && left.disks == right.disks && left.memory == right.memory
            && left.files == right.files && left.complaints == right.complaints
    }

    /// A command that only looks.
    ///
    /// Whatever the login shell is, `sh` reads the script; what a system lacks is left out.
    static let command = "exec sh -c " + shellWord(script)

    private static let script = """
        export LC_ALL=C
        echo "user $(id -u)"
        df -Pk / "$HOME" /tmp 2>/dev/null | awk 'NR > 1 { print "disk", $5, $6 }'
        awk '/^(MemTotal|MemAvailable):/ { print $1, $2 }' /proc/meminfo 2>/dev/null
        for file in "$HOME" "$HOME/.ssh" "$HOME/.ssh/authorized_keys"; do
            stat -L -c 'file %a %u %n' "$file" 2>/dev/null
        done
        if sudo -n true 2>/dev/null; then
            echo asked
            sudo -n /usr/sbin/sshd -t 2>&1 | head -n 3 | sed 's/^/sshd /'
        fi
        """

    /// Reads what the script has said, between whatever a shell's own files have.
    /// - Parameter bytes: any bytes.
    public init(_ bytes: [UInt8]) {
        for line in bytes.split(separator: UInt8(ascii: "\n")).prefix(InsideFacts.mostLines) {
            read(visible(line.filter { $0 != 0x0d }))
        }
    }

    private static let mostLines = 1000

    private mutating func read(_ line: String) {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        guard let first = words.first else { return }
        let rest = words.count > 1 ? words[1] : ""
        switch first {
        case "user": user = UInt32(rest)
        case "disk": readDisk(rest)
        case "MemTotal:": memory.total = Int(rest)
        case "MemAvailable:": memory.available = Int(rest)
        case "file": readFile(rest)
        case "asked": complaints = complaints ?? []
        case "sshd": if complaints != nil { complaints?.append(rest) }
        default: break
        }
    }

    private mutating func readDisk(_ rest: String) {
        let parts = rest.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].hasSuffix("%"), let full = Int(parts[0].dropLast()),
            (0...100).contains(full)
        else { return }
        disks[String(parts[1])] = full
    }

    private mutating func readFile(_ rest: String) {
        let parts = rest.split(separator: " ", maxSplits: 2)
        guard parts.count == 3, let mode = UInt32(parts[0], radix: 8), let owner = UInt32(parts[1])
        else { return }
        files.append(File(path: String(parts[2]), mode: mode & 0o7777, owner: owner))
    }
}
