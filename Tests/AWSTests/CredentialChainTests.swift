import Faults
import Foundation
import JSONText
import TestSupport
import Testing

@testable import AWS

/// Held against botocore itself, which is asked the same in the same environment.
@Suite(.serialized, .enabled(if: Oracle.shared != nil, "botocore is missing: config/dev setup"))
struct CredentialChainTests {
    private enum Found: Equatable {
        case keys([String?])
        case none
        case error

        var end: CredentialSetup.End {
            switch self {
            case .keys: .keys
            case .none: .none
            case .error: .error
            }
        }
    }

    @Test("Variables give what botocore finds", arguments: environmentSetups)
    func environment(setup: CredentialSetup) async throws { try await compare(setup) }

    @Test("Shared files give what botocore finds", arguments: fileSetups)
    func files(setup: CredentialSetup) async throws { try await compare(setup) }

    @Test("Roles give what botocore finds", arguments: roleSetups)
    func roles(setup: CredentialSetup) async throws { try await compare(setup) }

    @Test("Single sign-on gives what botocore finds", arguments: signOnSetups)
    func signOn(setup: CredentialSetup) async throws { try await compare(setup) }

    @Test("Processes, containers and instances give what botocore finds", arguments: otherSetups)
    func others(setup: CredentialSetup) async throws { try await compare(setup) }

    @Test(
        "What one of the two caches, the other takes without asking",
        arguments: [
            roleSetups[0], roleSetups[1], roleSetups[3], signOnSetups[0], signOnSetups[1],
        ]
    )
    func caches(setup: CredentialSetup) async throws {
        let oracle = try #require(Oracle.shared)
        let dead = ["AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"]
        for isOursFirst in [true, false] {
            let home = try home(setup, oracle)
            let variables = environment(setup, home, oracle)
            let cut = variables.merging(dead) { $1 }
            let first: Found
            let second: Found
            if isOursFirst {
                first = try await ours(setup, home, variables)
                second = try theirs(setup, home, cut, oracle)
            } else {
                first = try theirs(setup, home, variables, oracle)
                second = try await ours(setup, home, cut)
            }
            #expect(first.end == .keys && second == first)
        }
    }

    @Test("Files with keys are ours alone")
    func permissions() async throws {
        let oracle = try #require(Oracle.shared)
        let home = try home(roleSetups[0], oracle)
        let variables = environment(roleSetups[0], home, oracle)
        #expect(try await ours(roleSetups[0], home, variables).end == .keys)
        let cache = home.path + "/.aws/cli/cache"
        let files = try FileManager.default.contentsOfDirectory(atPath: cache)
        #expect(files.count == 1)
        for path in files.map({ "\(cache)/\($0)" }) {
            let facts = try FileManager.default.attributesOfItem(atPath: path)
            #expect(facts[.posixPermissions] as? Int == 0o600)
        }
    }

    // MARK: - The two

    private func compare(_ setup: CredentialSetup) async throws {
        let oracle = try #require(Oracle.shared)
        let home = try home(setup, oracle)
        let theirs = try theirs(setup, home, environment(setup, home, oracle), oracle)
        let fresh = try self.home(setup, oracle)
        let ours = try await ours(setup, fresh, environment(setup, fresh, oracle))
        #expect(ours == theirs)
        #expect(ours.end == setup.end)
    }

    private func ours(
        _ setup: CredentialSetup,
        _ home: TemporaryHome,
        _ variables: [String: String]
    ) async throws -> Found {
        do throws(ServiceError) {
            let settings = try AWSSettings(
                environment: variables,
                home: home.path,
                profile: setup.profile
            )
            let client = try await AWSClient.make(settings) { question in
                question.hasPrefix("Enter MFA code for ") ? "123456" : nil
            }
            let keys = try await client.credentials()
            return .keys([keys.accessKeyID, keys.secretAccessKey, keys.sessionToken])
        } catch {
            // Every secret of the setups begins with this word.
            let told = "\(error) \(error.hint?.text ?? "") \(error.message)"
            #expect(!told.contains("HIDDEN"))
            return error.summary.hasPrefix("no credentials for") ? .none : .error
        }
    }

    private func theirs(
        _ setup: CredentialSetup,
        _ home: TemporaryHome,
        _ variables: [String: String],
        _ oracle: Oracle
    ) throws -> Found {
        let answer = try oracle.ask(variables, home: home.path, profile: setup.profile)
        if let keys = answer["keys"]?.array { return .keys(keys.map(\.string)) }
        return answer["none"] == nil ? .error : .none
    }

    private func home(_ setup: CredentialSetup, _ oracle: Oracle) throws -> TemporaryHome {
        let home = try TemporaryHome()
        var files = setup.files
        if !setup.config.isEmpty { files[".aws/config"] = setup.config }
        if !setup.credentials.isEmpty { files[".aws/credentials"] = setup.credentials }
        for (path, text) in files { try home.write(path, fill(text, home, oracle)) }
        return home
    }

    private func environment(
        _ setup: CredentialSetup,
        _ home: TemporaryHome,
        _ oracle: Oracle
    ) -> [String: String] {
        let usual = [
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "URL",
            "AWS_DEFAULT_REGION": "eu-central-1", "HOME": "HOME", "PATH": "/usr/bin:/bin",
            // The AWS CLI of this machine has no part in this.
            "_EC2SH_CREDENTIALS": "1",
        ]
        return usual.merging(setup.environment) { $1 }.mapValues { fill($0, home, oracle) }
    }

    private func fill(_ text: String, _ home: TemporaryHome, _ oracle: Oracle) -> String {
        text.replacingOccurrences(of: "URL", with: "http://127.0.0.1:\(oracle.port)")
            .replacingOccurrences(of: "HOME", with: text.hasPrefix("$") ? "HOME" : home.path)
    }
}

/// botocore, and the services that it and we ask.
private final class Oracle: Sendable {
    static let shared = Oracle()

    let port: Int
    private let helper: LabHelper

    private init?() {
        guard let helper = try? LabHelper("botocore_oracle.py"),
            let port = Oracle.answer(of: helper)?["port"]?.integer
        else { return nil }
        self.helper = helper
        self.port = port
    }

    func ask(_ environment: [String: String], home: String, profile: String?) throws -> JSON {
        let variables = environment.map { (name: $0.key, value: JSON(.string($0.value))) }
        let setup = JSON.object([
            "env": JSON(.object(variables)), "home": JSON(.string(home)),
            "profile": profile.map { JSON(.string($0)) } ?? JSON(.null),
        ])
        try helper.order(setup.text)
        return try #require(Oracle.answer(of: helper))
    }

    private static func answer(of helper: LabHelper) -> JSON? {
        var answer: JSON?
        helper.readAnswers { line in
            answer = try? JSON.parse(Array(line.utf8))
            return false
        }
        return answer
    }
}
