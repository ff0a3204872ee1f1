import Foundation
import TestSupport
import Testing

/// What is different for a machine on EC2: the user is found, and what worked is remembered.
@Suite(.enabled(if: Lab.isHere && !isStockClient, "\(Lab.skipReason), and ec2sh"))
struct CloudTests {
    let client: Client

    init() throws { client = try Client.withKey() }

    @Test(
        "the user of an image is found without being told",
        arguments: ["amazon", "ubuntu", "debian", "rocky", "rhel"]
    )
    func user(name: String) async throws {
        let instance = try client.lab.instance(name)
        let run = try await client.run([try #require(instance.publicName), "id", "-un"])
        #expect(run.outputText == "\(instance.user)\n", "\(run.errorText)")
        #expect(run.status == 0)
    }

    @Test("an instance is known by any of its names")
    func names() async throws {
        let ubuntu = try client.lab.instance("ubuntu")
        for name in [ubuntu.publicName, ubuntu.id, ubuntu.privateName] {
            let run = try await client.run([try #require(name), "id", "-un"])
            #expect(run.outputText == "ubuntu\n", "\(name ?? "") \(run.errorText)")
        }
    }

    @Test("EC2Host makes any name one of EC2's, and takes it from one")
    func keyword() async throws {
        let yes = try await client.run(["-o", "EC2Host=yes", "debian.lab", "id", "-un"])
        #expect(yes.outputText == "admin\n", "\(yes.errorText)")
        let name = try #require(client.lab.instance("debian").publicName)
        let no = try await client.run(["-o", "EC2Host=no", name, "id", "-un"])
        #expect(no.status == 255)
        #expect(no.errorText.contains("\(client.user.name)@\(name): Permission denied"))
    }

    @Test("a user who was named is not changed")
    func namedUser() async throws {
        let name = try #require(client.lab.instance("amazon").publicName)
        let run = try await client.run(["ubuntu@\(name)", "id", "-un"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("ubuntu@\(name): Permission denied"))
    }

    @Test("a host that is not on EC2 gets one login with the user's own name")
    func plainHost() async throws {
        let run = try await client.run(["-o", "BatchMode=yes", "amazon.lab", "true"])
        #expect(run.status == 255)
        #expect(
            complaints(run) == ["\(client.user.name)@amazon.lab: Permission denied (publickey)."]
        )
    }

    @Test("what worked is remembered: the second run needs one connection")
    func remembered() async throws {
        let rocky = try client.lab.instance("rocky")
        let link = try await FaultLink(to: rocky.plainName)
        let arguments = ["-o", "EC2Host=yes", "-p", "\(link.port)", "127.0.0.1", "id -un"]
        let first = try await client.run(arguments)
        #expect(first.outputText == "rocky\n", "\(first.errorText)")
        var connections = 0
        for _ in 0..<1 {
            _ = try await link.closed()
            connections += 1
        }
        let second = try await client.run(["-v"] + arguments)
        #expect(second.outputText == "rocky\n")
        #expect(!second.errorText.contains("Permission denied"))
        #expect(connections >= 1)
    }

    @Test("a key that no user of the instance has is said so, after three names at most")
    func strangerKey() async throws {
        var client = try Client()
        let key = try client.user.takeKey("stranger")
        client.options = ["-i", key, "-o", "StrictHostKeyChecking=accept-new"]
        let ubuntu = try client.lab.instance("ubuntu")
        let run = try await client.run([try #require(ubuntu.publicName), "true"])
        #expect(run.status == 255)
        #expect(run.errorText.contains("Permission denied (publickey)"))
        #expect(run.errorLines.count <= 4, "\(run.errorText)")
    }

    @Test("keepalives are on for EC2 and as ever for other hosts")
    func keepalive() async throws {
        let name = try #require(client.lab.instance("ubuntu").publicName)
        let cloud = try await client.run(["-G", "-T", name])
        #expect(cloud.outputText.contains("\nserveraliveinterval 15\n"))
        let given = try await client.run(["-G", "-T", "-o", "ServerAliveInterval=7", name])
        #expect(given.outputText.contains("\nserveraliveinterval 7\n"))
        let plain = try await client.run(["-G", "-T", "plain.lab"])
        #expect(plain.outputText.contains("\nserveraliveinterval 0\n"))
    }

    @Test("the user is found behind a jump, and on the jump")
    func jump() async throws {
        var client = try Client()
        try client.user.takeKey("ed25519", as: ".ssh/id_ed25519")
        try client.user.write(".ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n")
        client.options = []
        let through = try #require(client.lab.instance("ubuntu").publicName)
        let hidden = try client.lab.instance("hidden").privateName
        let run = try await client.run(["-J", through, hidden, "id", "-un"])
        #expect(run.outputText == "ec2-user\n", "\(run.errorText)")
    }

    @Test("a jump that lets nobody in ends the run soon")
    func closedJump() async throws {
        let through = try #require(client.lab.instance("ubuntu").publicName)
        let hidden = try client.lab.instance("hidden").privateName
        try client.user.write(".ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n")
        // The key is named on the command line, which a jump does not hear of.
        let run = try await client.run(
            ["-o", "BatchMode=yes", "-J", through, hidden, "true"],
            limit: .seconds(20)
        )
        #expect(run.status == 255)
        #expect(!run.timedOut)
        #expect(run.errorText.contains("Permission denied (publickey)"), "\(run.errorText)")
    }
}

/// Whether the tests run against OpenSSH's own client, to hold them against it.
let isStockClient =
    Lab.current?.binary.map { path in
        FileManager.default.contentsEqual(atPath: path, andPath: "/usr/bin/ssh")
    } ?? true
