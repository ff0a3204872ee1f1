import Foundation
import TestSupport
import Testing

/// What costs nothing: runs in which AWS is not asked, nor anybody on the way to it.
///
/// All of AWS's addresses lead to a socket of the test's own here: by endpoints, by a proxy and by
/// the address of instance metadata. Whoever connects is counted, whatever is said then.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"))
struct WaysCostTests {
    private let client: Client
    private let everybody: CountingListener

    init() throws {
        client = try Client.withKey()
        everybody = try CountingListener()
    }

    private func environment(_ more: [String: String] = [:]) -> [String: String] {
        let address = "http://127.0.0.1:\(everybody.port)"
        return [
            "AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": address, "HTTPS_PROXY": address,
            "HTTP_PROXY": address, "AWS_EC2_METADATA_SERVICE_ENDPOINT": address,
        ].merging(more) { $1 }
    }

    private static let keys = [
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    ]

    @Test(
        "A plain host that answers, and what connects to nothing, ask nobody",
        arguments: [
            (["admin@debian.lab", "true"], 0), (["admin@debian.lab", "exit 3"], 3),
            (["nobody@debian.lab", "true"], 255), (["-p", "9", "debian.lab", "true"], 255),
            (["-V"], 0), (["-G", "i-0123456789abcdef0"], 0),
            (["-G", "ec2-203-0-113-7.eu-central-1.compute.amazonaws.com"], 0),
            (["-Q", "cipher"], 0),
            (["-S", "/nowhere/socket", "-O", "check", "i-0123456789abcdef0"], 255),
            (["-S", "/nowhere/socket", "-O", "exit", "debian.lab"], 255), (["-Z"], 255),
        ]
    )
    func nothing(words: [String], status: Int) async throws {
        let run = try await client.run(
            ["-o", "BatchMode=yes"] + words,
            environment: environment(Self.keys)
        )
        #expect(run.status == status, "\(run.errorText)")
        #expect(everybody.count() == 0)
    }

    @Test("Without anything that looks like credentials nobody is asked about a host that is plain")
    func plainWithoutCredentials() async throws {
        for words in [["no-such-host.invalid", "true"], ["-p", "9", "debian.lab", "true"]] {
            let run = try await client.run(words, environment: environment())
            #expect(run.status == 255)
            #expect(everybody.count() == 0, "\(words)")
        }
    }

    @Test("An instance that can be reached by its name needs no credentials, and asks nobody")
    func instanceWithoutCredentials() async throws {
        let name = try #require(client.lab.instance("debian").publicName)
        let run = try await client.run([name, "id", "-un"], environment: environment())
        #expect(run.outputText == "admin\n", "\(run.errorText)")
        #expect(everybody.count() == 0)
    }

    @Test("Where nothing else is left and there are no credentials, that is said; AWS is not asked")
    func noCredentials() async throws {
        // Of metadata nothing but this machine's own address is asked, and only here.
        let run = try await client.run(
            ["i-0123456789abcdef0", "true"],
            environment: environment(["AWS_EC2_METADATA_DISABLED": "true"])
        )
        expectClearWords(run, within: .seconds(20))
        #expect(run.errorText.contains("no credentials"), "\(run.errorText)")
        #expect(everybody.count() == 0)
    }

    @Test("An endpoint is looked for once, and again when it is gone")
    func endpoints() async throws {
        let cloud = try await CloudClient()
        let web = try await cloud.aws.launch("web", ["public": false])
        let first = try await cloud.aws.endpoint()
        let words = CloudClient.only("endpoint") + [web.id, CloudClient.question]
        let action = "ec2:DescribeInstanceConnectEndpoints"
        for _ in 1...2 {
            expectReached(try await cloud.run(words), web)
            #expect(try await cloud.aws.calls()[action] == 1)
        }
        try await cloud.aws.endpoint()
        try await cloud.aws.order("forget", ["endpoint": .text(first)])
        // What is a few seconds old is taken for new, so that many share one answer.
        try await Task.sleep(for: .seconds(5))
        expectReached(try await cloud.run(words), web)
        #expect(try await cloud.aws.calls()[action] == 2)
        #expect(try await cloud.aws.calls().violations == [])
    }

    @Test("The listener counts: with credentials, an instance id leads to it")
    func listener() async throws {
        let run = try await client.run(
            ["i-0123456789abcdef0", "true"],
            environment: environment(Self.keys.merging(["AWS_MAX_ATTEMPTS": "1"]) { $1 }),
            limit: .seconds(5)
        )
        #expect(run.status != 0)
        #expect(everybody.count() > 0)
    }
}

/// A socket that takes connections and says nothing.
private final class CountingListener: Sendable {
    private let number: Int32
    let port: Int

    init() throws {
        let number = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let made = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(number, pointer, length) == 0 && listen(number, 64) == 0
                    && getsockname(number, pointer, &length) == 0
            }
        }
        self.number = number
        port = Int(UInt16(bigEndian: address.sin_port))
        guard made else { throw POSIXError(.EADDRNOTAVAIL) }
        _ = fcntl(number, F_SETFL, O_NONBLOCK)
        _ = fcntl(number, F_SETFD, FD_CLOEXEC)
    }

    deinit { close(number) }

    /// Who has connected since the last time.
    func count() -> Int {
        var count = 0
        while true {
            let connection = accept(number, nil, nil)
            if connection < 0 { return count }
            close(connection)
            count += 1
        }
    }
}
