import Testing

@testable import AWS

struct AccountTests {
    private func settings(
        _ environment: [String: String],
        profile: String? = nil,
        config: String = ""
    ) throws -> AWSSettings {
        let home = try TemporaryHome()
        if !config.isEmpty { try home.write(".aws/config", config) }
        return try AWSSettings(environment: environment, home: home.path, profile: profile)
    }

    @Test func `a machine without files and variables shows no sign of credentials`() throws {
        #expect(try !settings(["PATH": "/bin", "AWS_REGION": "us-east-1"]).hasSignsOfCredentials)
        #expect(try !settings(["AWS_ACCESS_KEY_ID": ""]).hasSignsOfCredentials)
        #expect(try settings(["AWS_ACCESS_KEY_ID": "AKID"]).hasSignsOfCredentials)
        #expect(try settings([:], config: "[default]\nregion = x\n").hasSignsOfCredentials)
    }

    @Test func `an account is known by its profile, else by the key in the environment`() throws {
        let key = ["AWS_ACCESS_KEY_ID": "AKID"]
        let config = "[profile work]\nregion = x\n"
        #expect(try settings([:]).accountName == "default")
        #expect(try settings(key).accountName == "key:AKID")
        #expect(try settings(key, profile: "work", config: config).accountName == "work")
    }
}
