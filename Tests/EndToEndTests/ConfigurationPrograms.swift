import Foundation
import Glibc

/// Runs both programs on a case, in one directory and one environment.
struct ConfigurationPrograms {
    /// What a program answered.
    struct Answer: Equatable {
        var output: [UInt8]
        var errors: [UInt8]
        var status: Int32
    }

    let ours: String
    let theirs = "/usr/bin/ssh"
    /// Where the files of a case are put; the same for all cases, so that names agree.
    let directory: String
    private let environment: [String]

    /// Makes the directory, with a link by which ours is called `ssh`: usage texts name it.
    init(binary: String, directory: String) throws {
        self.directory = directory
        ours = directory + "/bin/ssh"
        environment = [
            "PATH=/usr/bin:/bin", "HOME=\(directory)/home", "SHELL=/bin/sh", "LANG=C",
            "VAR=value", "HOME2=/h2", "PORT=8088", "SOCK=/tmp/envsock",
        ]
        let manager = FileManager.default
        try manager.createDirectory(
            atPath: directory + "/bin",
            withIntermediateDirectories: true
        )
        try manager.createSymbolicLink(atPath: ours, withDestinationPath: binary)
        let system = [
            "passwd":
                "root:x:0:0:root:\(directory)/home:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
            "nsswitch": "passwd: files\nhosts: files\nservices: files\n",
            "hosts": """
            10.1.1.1 target.example.com alias.example.com
            10.1.1.2 real.b other.a.org
            10.1.1.3 x.b bare.a
            ::1 localhost

            """,
        ]
        for (name, text) in system {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(directory)/\(name)"))
        }
    }

    func answers(_ made: ConfigurationCase) throws -> (ours: Answer, theirs: Answer) {
        for name in ["config", "ssh_config", "inc1", "inc2", "home/.ssh/config"] {
            unlink("\(directory)/\(name)")
        }
        mkdir(directory + "/home", 0o700)
        mkdir(directory + "/home/.ssh", 0o700)
        for file in made.files {
            try Data(file.contents).write(to: URL(fileURLWithPath: "\(directory)/\(file.name)"))
            chmod("\(directory)/\(file.name)", 0o600)
        }
        for file in made.modes { chmod("\(directory)/\(file.name)", mode_t(file.mode)) }
        return (run(ours, made), run(theirs, made))
    }

    /// Mounts files of the case over the machine's for one run: users, names and configuration.
    static let namespace = [
        "/usr/bin/unshare", "-m", "/bin/sh", "-c",
        """
        mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/hosts" /etc/hosts &&
        mount --bind "$1/nsswitch" /etc/nsswitch.conf &&
        mount --bind "$1/ssh_config" /etc/ssh/ssh_config && shift && exec "$@"
        """, "sh",
    ]

    private func run(_ program: String, _ made: ConfigurationCase) -> Answer {
        let command = [program] + made.arguments
        return spawn(made.usesStandardFiles ? Self.namespace + [directory] + command : command)
    }

    /// Runs a command with files for its output, which costs less than pipes and a thread.
    func spawn(_ command: [String]) -> Answer {
        let (out, err) = (directory + "/out", directory + "/err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        let arguments = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup($0) } + [nil]
        defer { for text in arguments + variables { free(text) } }
        var pid: pid_t = 0
        var status: Int32 = -1
        if posix_spawn(&pid, command[0], &actions, nil, arguments, variables) == 0 {
            while waitpid(pid, &status, 0) == -1 && errno == EINTR {}
        }
        return Answer(output: bytes(out), errors: bytes(err), status: status)
    }

    private func bytes(_ path: String) -> [UInt8] {
        (try? Data(contentsOf: URL(fileURLWithPath: path))).map { Array($0) } ?? []
    }
}
