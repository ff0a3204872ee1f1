import Foundation
import TestSupport
import Testing

/// `ec2sh doctor` names what is in the way, and nothing that is not.
@Suite(.enabled(if: Lab.hasCloud, "\(LabCloud.skipReason)"), .serialized)
struct DoctorTests {
    @Test(
        "one broken thing is named first, and a healthy way has none",
        arguments: DoctorScenario.all
    )
    func scenario(_ row: DoctorScenario) async throws {
        let cloud = try await CloudClient()
        let aws = cloud.aws
        var launch = row.launch
        var image = "ubuntu"
        if case .text(let other)? = launch.removeValue(forKey: "image") { image = other }
        for order in row.orders { try await aws.order(order.what, order.fields) }
        let web = try await aws.launch("web", image: image, launch)
        if !row.changes.isEmpty { try await aws.set(web, row.changes) }
        try row.prepare?(cloud)
        if row.cause == "transport.host-key" { try cloud.distrust(web) }
        let before = cloud.filesOfUser()
        let (report, run, took) = try await cloud.doctor(
            row.host.map { $0(web) } ?? web.id,
            row.options,
            environment: row.environment
        )
        let said = Comment(rawValue: run.outputText + run.errorText)
        #expect(report.causes.first == row.cause, said)
        #expect(report.verdict == (row.cause == nil ? "healthy" : "broken"), said)
        #expect(run.status == (row.cause == nil ? 0 : 1), said)
        for words in row.says { #expect(report.cause?.says.contains(words) == true, said) }
        if let remedy = row.remedy {
            let given = report.cause.flatMap { $0.run ?? $0.advice }
            #expect(given?.contains(remedy) == true, said)
        }
        for (id, status) in row.others { #expect(report[id]?.status == status, said) }
        // What is left out is explained by something that is there.
        for check in report.checks { #expect(check.because.map { report[$0] != nil } ?? true) }
        #expect(cloud.filesOfUser() == before, "something was changed")
        #expect(try await aws.calls().violations == [])
        // 5 s where all answer and 15 s where packets vanish, on a machine of its own.
        #expect(took < .seconds(60), said)
    }
}

extension CloudClient {
    /// The user's files but the cache.
    func filesOfUser() -> [String: String] {
        user.files().filter { !$0.key.hasPrefix(".cache") }
    }

    /// Gives the user the public half of the key.
    func takePublicKey(as name: String) throws {
        try user.write(
            name,
            String(contentsOfFile: Lab.here().key("rsa") + ".pub", encoding: .utf8)
        )
    }

    /// Has the user know another host key than the instance's.
    func distrust(_ instance: CloudAccount.Instance) throws {
        let other = try String(contentsOfFile: Lab.here().key("ed25519") + ".pub", encoding: .utf8)
        let key = other.split(separator: " ").prefix(2).joined(separator: " ")
        try user.write(".ssh/known_hosts", "\(instance.id) \(key)\n")
    }

    func setMode(_ mode: Int, _ path: String) throws {
        let full = user.path(path)
        if !FileManager.default.fileExists(atPath: full) {
            try user.write(path + "/.keep", "")
        }
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: full)
    }
}
