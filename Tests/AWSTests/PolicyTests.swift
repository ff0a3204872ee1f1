import Foundation
import Testing

/// `config/iam-policy.json` has what the sources can ask AWS for, and nothing else.
struct PolicyTests {
    private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    private struct Policy: Decodable {
        struct Statement: Decodable {
            let sid: String
            let effect: String
            let action: Words
            let resource: Words

            enum CodingKeys: String, CodingKey {
                case sid = "Sid"
                case effect = "Effect"
                case action = "Action"
                case resource = "Resource"
            }
        }
        let version: String
        let statements: [Statement]

        enum CodingKeys: String, CodingKey {
            case version = "Version"
            case statements = "Statement"
        }
    }

    /// One text, or a list of them.
    private struct Words: Decodable {
        let words: [String]

        init(from decoder: any Decoder) throws {
            let one = try decoder.singleValueContainer()
            words = try (try? [one.decode(String.self)]) ?? one.decode([String].self)
        }
    }

    private let policy: Policy

    init() throws {
        let file = PolicyTests.root.appendingPathComponent("config/iam-policy.json")
        policy = try JSONDecoder().decode(Policy.self, from: Data(contentsOf: file))
    }

    /// The texts of Swift files below a directory of Sources, by name.
    private func sources(_ directory: String) throws -> [String: String] {
        let place = PolicyTests.root.appendingPathComponent("Sources/\(directory)")
        let files = try #require(FileManager.default.enumerator(atPath: place.path))
        var texts: [String: String] = [:]
        for case let name as String in files where name.hasSuffix(".swift") {
            texts[name] = try String(
                contentsOf: place.appendingPathComponent(name),
                encoding: .utf8
            )
        }
        return texts
    }

    /// What the files of Calls ask for, as IAM names it.
    private func actions() throws -> Set<String> {
        var actions: Set<String> = []
        let prefixes = [
            "AmazonSSM": "ssm", "AWSEC2InstanceConnectService": "ec2-instance-connect",
            "TrentService": "kms",
        ]
        for (name, text) in try sources("AWS/Calls") {
            let named = text.matches(of: /(?:action: |action = )"(?<action>\w+)"/).map(\.action)
            let targets = text.matches(of: /target: "(?<service>\w+)\.(?<action>\w+)"/)
            let calls = text.matches(of: /await (?:query|json)\(/).count
            // None is hidden from this test by the way it is written.
            #expect(calls <= named.count + targets.count, "\(name)")
            for target in targets {
                let service = try #require(prefixes[String(target.service)], "\(name)")
                actions.insert("\(service):\(target.action)")
            }
            // STS and single sign-on give credentials: whose they are is no matter of this policy.
            if text.contains(/query\(\s*\.ec2,/) {
                actions.formUnion(named.map { "ec2:\($0)" })
            } else if !named.isEmpty {
                #expect(text.contains(".sts") || text.contains(".sso"), "\(name)")
            }
        }
        return actions
    }

    @Test("Each action that a call needs is in the policy, and none besides")
    func sameActions() throws {
        var needed = try actions()
        #expect(needed.count > 10)
        // Websockets are no calls, and are signed all the same.
        let ways = try sources("Ways").values.joined()
        if ways.contains("\"/openTunnel\"") { needed.insert("ec2-instance-connect:OpenTunnel") }
        if ways.contains("Service.ssmMessages") { needed.insert("ssmmessages:OpenDataChannel") }
        let allowed = policy.statements.flatMap(\.action.words)
        #expect(Set(allowed) == needed)
        #expect(Set(allowed).count == allowed.count)
    }

    @Test("No call is made but by the files of Calls")
    func callsAreInOnePlace() throws {
        for directory in ["EC2", "Ways", "Client", "Diagnosis", "ec2sh"] {
            for (name, text) in try sources(directory) {
                #expect(
                    !text.contains(/(?:caller|client)\.(?:query|json)\(/),
                    "\(directory)/\(name)"
                )
            }
        }
    }

    @Test("Each document of Systems Manager that is asked for is in the policy, and none besides")
    func sameDocuments() throws {
        var needed: Set<String> = []
        for directory in ["AWS", "EC2", "Ways", "Client"] {
            for text in try sources(directory).values {
                let names = text.matches(of: /"(?<name>(?:AWS|SSM)-[A-Z]\w+)"/).map(\.name)
                needed.formUnion(names.map(String.init))
            }
        }
        let resources = policy.statements.flatMap(\.resource.words)
        let allowed = resources.compactMap { $0.firstMatch(of: /document\/(?<name>.+)$/)?.name }
        #expect(Set(allowed.map(String.init)) == needed)
    }

    @Test("Only what knows no resources is allowed for all of them")
    func leastPrivilege() throws {
        let unrestricted = policy.statements.filter { $0.resource.words.contains("*") }
        let actions = unrestricted.flatMap(\.action.words)
        // AWS's Service Authorization Reference has no resource types for these.
        #expect(actions.allSatisfy { $0.contains(":Describe") || $0 == "ssm:GetCommandInvocation" })
        #expect(policy.version == "2012-10-17")
        #expect(policy.statements.allSatisfy { $0.effect == "Allow" })
        #expect(Set(policy.statements.map(\.sid)).count == policy.statements.count)
        // IAM takes letters and digits alone.
        #expect(policy.statements.allSatisfy { $0.sid.wholeMatch(of: /[A-Za-z0-9]+/) != nil })
        #expect(!policy.statements.flatMap(\.action.words).contains { $0.contains("*") })
    }
}
