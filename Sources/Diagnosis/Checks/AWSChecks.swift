internal import AWS
internal import Client
internal import EC2
internal import Faults

/// Who we are to AWS, and what we may ask.
struct AWSChecks: Sendable {
    let cloud: CloudFacts
    /// The profile whose settings count.
    let profile: String
    /// Whether the host cannot be found without AWS, or AWS alone is looked at.
    let isNeeded: Bool
    let trials: Fact<Trials>

    var all: [Check] {
        [
            Check("aws.credentials", "credentials", .aws) {
                await credentials()
            },
            Check("aws.permissions", "permissions", .aws, dependsOn: ["aws.credentials"]) {
                await permissions()
            },
        ]
    }

    private func credentials() async -> Finding {
        switch await cloud.identity.value {
        case .success(let identity):
            let expiry = await cloud.expiry.value
            let end = expiry.map { ", until \($0.iso("Z"))" } ?? ""
            return .ok(
                "\(identity.arn), profile \(profile)\(end)",
                seen: ["account \(identity.account)", "user id \(identity.userID)"]
            )
        case .failure(let error):
            let says = "AWS does not know us: \(error.summary)"
            let isShut = await trials.value.success == nil
            let isInTheWay = isNeeded || isShut
            return isInTheWay ? .broken(says, error.hint) : .note(says, error.hint)
        }
    }

    private func permissions() async -> Finding {
        let denied = await cloud.deniedActions()
        guard !denied.isEmpty else { return .ok("all that was asked was answered") }
        let says = "not allowed: \(denied.joined(separator: ", "))"
        let remedy = Hint.advice(
            "allow it as config/iam-policy.json of ec2sh does: \(denied.joined(separator: ", "))"
        )
        let isBlind = denied.contains("ec2:DescribeInstances")
        let isShut = await trials.value.success == nil
        let isInTheWay = isBlind && isNeeded && isShut
        return isInTheWay ? .broken(says, remedy) : .note(says, remedy)
    }
}
