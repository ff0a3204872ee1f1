import Foundation
import TestSupport
import Testing

/// Ansible: hundreds of short calls, many at once, files by sftp, and words read from standard error.
@Suite(
    .enabled(if: Lab.isHere, "\(Lab.skipReason)"),
    .enabled(if: Tool.ansible.isHere, "no ansible"),
    .serialized
)
struct InteropAnsibleTests {
    /// How Ansible is set up to use an ssh.
    enum Setup: String, CaseIterable {
        /// A login for every call; sftp runs ours, too.
        case fresh
        /// A login for every call, with the module on standard input.
        case pipelined
        /// One login for each host, which OpenSSH's own sftp shares: it could not log in itself.
        case shared
    }

    let place: Workplace
    let name: String

    /// Ten hosts: every instance, one of them behind another, two by a second name.
    private static let hosts = [
        ("amazon.lab", "amazon"), ("ubuntu.lab", "ubuntu"), ("debian.lab", "debian"),
        ("rocky.lab", "rocky"), ("rhel.lab", "rhel"), ("hidden.lab", "hidden"),
        ("appliance.lab", "appliance"), ("plain.lab", "plain"), ("amazon6.lab", "amazon"),
        ("ubuntu-dual.lab", "ubuntu"),
    ]

    init() throws {
        place = try Workplace()
        name = place.unique("ansible")
        var inventory = ""
        for (host, instance) in Self.hosts {
            let user = try place.lab.instance(instance).user
            let jump =
                instance == "hidden" ? " ansible_ssh_common_args='-J ubuntu@ubuntu.lab'" : ""
            inventory += "\(host) ansible_user=\(user)\(jump)\n"
        }
        try place.user.write("hosts", inventory)
        try place.user.write(
            "play.yml",
            """
            - hosts: all
              gather_facts: false
              tasks:
                - ping:
                - copy: {src: payload, dest: "~/\(name)-{{inventory_hostname}}", mode: "0640"}
                - fetch: {src: "~/\(name)-{{inventory_hostname}}", dest: fetched}
                - meta: reset_connection

            """
        )
    }

    @Test("pings ten hosts, copies to them and fetches, with 20 forks", arguments: Setup.allCases)
    func play(setup: Setup) async throws {
        let bytes = noise(200_000, seed: 13)
        try place.user.write("payload", bytes)
        let run = try await ansible(["ansible-playbook", "-f", "20", "play.yml"], setup)
        #expect(run.status == 0, "\(run.outputText.suffix(3000))\(run.errorText)")
        for (host, instance) in Self.hosts {
            let file = "\(name)-\(host)"
            #expect(try place.remoteContents(file, on: instance) == bytes, "\(host)")
            let account = try place.lab.instance(instance).user
            let home = account == "root" ? "root" : "home/\(account)"
            let fetched = place.user.path("fetched/\(host)/\(home)/\(file)")
            #expect(FileManager.default.contents(atPath: fetched) == bytes, "\(host)")
        }
    }

    @Test("a host that cannot be reached is said to be unreachable, in ssh's words")
    func unreachable() async throws {
        let words = ["ansible", "plain.lab", "-e", "ansible_port=23", "-m", "ping", "-o"]
        let run = try await ansible(words, .fresh)
        #expect(run.status == 4)
        #expect(run.outputText.contains("plain.lab | UNREACHABLE!"))
        #expect(
            run.outputText.contains("ssh: connect to host plain.lab port 23: Connection refused"),
            "\(run.outputText)"
        )
    }

    /// Moves the key to where only our calls are told of it, and the host that is jumped through.
    /// - Returns: the program to run in place of ours.
    private func hideKey() throws -> String {
        let key = place.user.path("hidden-key")
        try FileManager.default.moveItem(atPath: place.user.path(".ssh/id_ed25519"), toPath: key)
        let jump = "Host ubuntu.lab\n  IdentityFile \(key)\n"
        let settings = place.user.contents(".ssh/config") ?? ""
        try place.user.write(".ssh/config", jump + settings)
        return try place.user.write(
            "our-ssh",
            "#!/bin/sh\nexec \(place.ssh) -i \(key) \"$@\"\n",
            mode: 0o755
        )
    }

    private func ansible(_ words: [String], _ setup: Setup) async throws -> ProgramRun {
        var environment = [
            "ANSIBLE_SSH_EXECUTABLE": place.ssh, "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_INVENTORY": place.user.path("hosts"), "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
            // 20 logins at once on a machine that does other things besides.
            "ANSIBLE_TIMEOUT": "60",
        ]
        switch setup {
        case .fresh, .pipelined:
            environment["ANSIBLE_SSH_ARGS"] = "-C -o ControlMaster=no"
            environment["ANSIBLE_SFTP_EXTRA_ARGS"] = "-S \(place.ssh)"
        case .shared:
            environment["ANSIBLE_SSH_ARGS"] = "-C -o ControlMaster=auto -o ControlPersist=20s"
            environment["ANSIBLE_SSH_EXECUTABLE"] = try hideKey()
        }
        if setup == .pipelined { environment["ANSIBLE_PIPELINING"] = "1" }
        return try await place.run(words, environment: environment, limit: .seconds(180))
    }
}
