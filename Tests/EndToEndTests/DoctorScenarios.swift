import Foundation
import TestSupport
import Testing

/// One thing that is broken between a person and an instance, and what doctor is to say of it.
struct DoctorScenario: Sendable, CustomTestStringConvertible {
    /// What is broken.
    let name: String
    /// How the instance is launched.
    var launch: [String: CloudValue] = [:]
    /// What the cloud is told afterwards.
    var orders: [(what: String, fields: [String: CloudValue])] = []
    /// What the instance is changed to afterwards.
    var changes: [String: CloudValue] = [:]
    /// Options for doctor, before the host.
    var options: [String] = []
    /// Variables for doctor.
    var environment: [String: String] = [:]
    /// What is done to the client's home.
    var prepare: (@Sendable (CloudClient) throws -> Void)?
    /// How the host is named; nil for the instance's id.
    var host: (@Sendable (CloudAccount.Instance) -> String?)?
    /// The first cause; nil for a healthy row.
    let cause: String?
    /// What its sentence has in it.
    var says: [String] = []
    /// What its remedy has in it.
    var remedy: String?
    /// Checks that have to stand so as well.
    var others: [String: String] = [:]

    var testDescription: String { name }

    /// Nothing but what the test breaks lets in: neither the agent nor a pushed key.
    static let alone: [String: CloudValue] = ["ssm": nil]
    static let closed: [String: CloudValue] = ["ssm": nil, "port": "drop"]
    static func network(_ fields: [String: CloudValue]) -> [(String, [String: CloudValue])] {
        [("network", fields)]
    }
    static func rules(_ rules: CloudValue...) -> [(String, [String: CloudValue])] {
        network(["rules": .list(rules)])
    }
    static let everything: CloudValue = [100, false, true, "0.0.0.0/0", nil, "-1"]
    static let everythingBack: CloudValue = [100, true, true, "0.0.0.0/0", nil, "-1"]

    static let all: [DoctorScenario] =
        healthy + here + access + instance + networks + servers + logins + ways + pairs
}

// MARK: - Rows

extension DoctorScenario {
    static let healthy: [DoctorScenario] = [
        DoctorScenario(
            name: "an instance by its id",
            cause: nil,
            others: ["network.security-group": "ok"]
        ),
        DoctorScenario(name: "by its public name", host: { $0.publicName }, cause: nil),
        DoctorScenario(name: "by its address", host: { $0.publicAddress }, cause: nil),
        DoctorScenario(name: "by its Name tag", host: { $0.name }, cause: nil),
        DoctorScenario(
            name: "private, by Systems Manager",
            launch: ["public": false],
            cause: nil,
            others: ["instance.address": "note", "ways.ssm": "ok"]
        ),
        DoctorScenario(
            name: "private, by an endpoint",
            launch: ["public": false, "ssm": nil],
            orders: [("endpoint", [:])],
            cause: nil,
            others: ["ways.endpoint": "ok"]
        ),
        DoctorScenario(
            name: "no rule at all, as Systems Manager is the way",
            launch: ["port": "drop"],
            orders: rules(),
            cause: nil,
            others: ["network.security-group": "note"]
        ),
        DoctorScenario(name: "a key that is pushed", launch: ["accepts_key": false], cause: nil),
        DoctorScenario(name: "Amazon Linux", launch: ["image": "amazon"], cause: nil),
        DoctorScenario(name: "Debian", launch: ["image": "debian"], cause: nil),
        DoctorScenario(name: "Rocky Linux", launch: ["image": "rocky"], cause: nil),
        DoctorScenario(
            name: "by its IPv6 address",
            launch: ["ipv6": true],
            host: { $0.ipv6Address },
            cause: nil
        ),
        DoctorScenario(
            name: "in another region that was named",
            launch: ["region": "us-east-1"],
            options: ["-o", "EC2Region=us-east-1"],
            cause: nil
        ),
        DoctorScenario(
            name: "a new host key that is taken as the user wants, and not written down",
            launch: ["ssm": nil, "console": ""],
            cause: nil,
            others: ["transport.host-key": "ok"]
        ),
        DoctorScenario(name: "the right user named", options: ["-l", "ubuntu"], cause: nil),
        DoctorScenario(
            name: "rules that could not be read do not matter where the port answers",
            orders: [
                ("deny", ["actions": ["ec2:DescribeSecurityGroups", "ec2:DescribeNetworkAcls"]])
            ],
            cause: nil,
            others: ["aws.permissions": "note"]
        ),
        DoctorScenario(
            name: "rules of others do not matter where the port answers",
            orders: rules(["ports": [22, 22], "from": ["198.51.100.0/24"]]),
            cause: nil
        ),
    ]

    static let here: [DoctorScenario] = [
        DoctorScenario(
            name: "a key that others can read",
            prepare: { try $0.setMode(0o644, "key.pem") },
            cause: "here.key",
            says: ["key.pem", "read by others"],
            remedy: "chmod 600"
        ),
        DoctorScenario(
            name: "a key that is not there",
            options: ["-i", "nowhere.pem"],
            cause: "here.key",
            says: ["there is no ", "nowhere.pem"]
        ),
        DoctorScenario(
            name: "a public key in the place of the private one",
            options: ["-i", ".ssh/my-key.pub"],
            prepare: { try $0.takePublicKey(as: ".ssh/my-key.pub") },
            cause: "here.key",
            says: ["my-key.pub", "public key"]
        ),
        DoctorScenario(
            name: "a file that is no key",
            options: ["-i", "page.pem"],
            prepare: { try $0.user.write("page.pem", "<html>Sign in</html>\n") },
            cause: "here.key",
            says: ["page.pem"]
        ),
        DoctorScenario(
            name: "a directory of keys that others can write in",
            prepare: { try $0.setMode(0o777, ".ssh") },
            cause: "here.directory",
            says: ["others can write", "0777"],
            remedy: "chmod 700"
        ),
        DoctorScenario(
            name: "a clock that is wrong",
            orders: [("clock", ["seconds": 3600])],
            cause: "here.clock",
            says: ["clock", "behind AWS's"],
            remedy: "timedatectl"
        ),
        DoctorScenario(
            name: "an agent that is gone is nothing but noted",
            environment: ["SSH_AUTH_SOCK": "/nonexistent/agent"],
            cause: nil,
            others: ["here.agent": "note"]
        ),
    ]

    static let access: [DoctorScenario] = [
        DoctorScenario(
            name: "keys that AWS does not know",
            environment: ["AWS_ACCESS_KEY_ID": "AKIAUNKNOWNUNKNOWN00"],
            cause: "aws.credentials",
            says: ["AWS does not know us", "InvalidClientTokenId"]
        ),
        DoctorScenario(
            name: "a secret that is wrong",
            environment: ["AWS_SECRET_ACCESS_KEY": "0123456789012345678901234567890123456789"],
            cause: "aws.credentials",
            says: ["SignatureDoesNotMatch"]
        ),
        DoctorScenario(
            name: "no credentials",
            environment: ["AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""],
            cause: "aws.credentials",
            says: ["no credentials"],
            remedy: "aws configure"
        ),
        DoctorScenario(
            name: "no permission to find the instance",
            orders: [("deny", ["actions": ["ec2:DescribeInstances"]])],
            cause: "aws.permissions",
            says: ["ec2:DescribeInstances"],
            remedy: "iam-policy.json"
        ),
        DoctorScenario(
            name: "another region",
            environment: ["AWS_REGION": "us-west-2"],
            cause: "instance.exists",
            says: ["us-west-2"],
            remedy: "ec2sh list"
        ),
    ]

    static let instance: [DoctorScenario] = [
        DoctorScenario(
            name: "it never was",
            host: { _ in "i-0fffffffffffffff0" },
            cause: "instance.exists",
            says: ["no instance is called 'i-0fffffffffffffff0'"]
        ),
        DoctorScenario(
            name: "stopped",
            launch: ["state": "stopped"],
            cause: "instance.state",
            says: ["is stopped"],
            remedy: "aws ec2 start-instances --region eu-central-1 --instance-ids i-"
        ),
        DoctorScenario(name: "stopping", launch: ["state": "stopping"], cause: "instance.state"),
        DoctorScenario(name: "pending", launch: ["state": "pending"], cause: "instance.state"),
        DoctorScenario(
            name: "terminated",
            launch: ["state": "terminated"],
            cause: "instance.state",
            says: ["is terminated"]
        ),
        DoctorScenario(
            name: "Windows",
            launch: closed.merging(["platform": "windows"]) { $1 },
            cause: "instance.platform",
            says: ["RDP"],
            remedy: "3389"
        ),
        DoctorScenario(
            name: "the machine below is broken",
            launch: closed.merging(["impaired": "system"]) { $1 },
            cause: "instance.status",
            says: ["machine below"],
            remedy: "stop-instances"
        ),
        DoctorScenario(
            name: "its own system is broken",
            launch: closed.merging(["impaired": "instance"]) { $1 },
            cause: "instance.status",
            says: ["does not answer"],
            remedy: "get-console-output"
        ),
        DoctorScenario(
            name: "it has just been started",
            launch: ["ssm": nil, "port": "refuse", "initializing": true],
            cause: "instance.status",
            says: ["just been started"],
            remedy: "wait instance-status-ok"
        ),
        DoctorScenario(
            name: "no public address any more",
            launch: alone,
            changes: ["public": false],
            cause: "instance.address",
            says: ["no public address"]
        ),
        DoctorScenario(
            name: "a name of an address that it has no more",
            launch: alone,
            host: { _ in "ec2-198-18-255-254.eu-central-1.compute.amazonaws.com" },
            cause: "instance.exists",
            says: ["ec2-198-18-255-254"]
        ),
    ]

    static let networks: [DoctorScenario] = [
        DoctorScenario(
            name: "no rule at all",
            launch: closed,
            orders: rules(),
            cause: "network.security-group",
            says: ["203.0.113.2", "tcp port 22", "no rule"],
            remedy: "authorize-security-group-ingress --region eu-central-1 --group-id sg-"
        ),
        DoctorScenario(
            name: "a rule for others",
            launch: closed,
            orders: rules(["ports": [22, 22], "from": ["198.51.100.0/24"]]),
            cause: "network.security-group",
            says: ["198.51.100.0/24"],
            remedy: "--cidr 203.0.113.2/32"
        ),
        DoctorScenario(
            name: "a rule for another port",
            launch: closed,
            orders: rules(["ports": [443, 443], "from": ["0.0.0.0/0"]]),
            cause: "network.security-group",
            says: ["no rule"]
        ),
        DoctorScenario(
            name: "a rule for IPv6 alone",
            launch: closed,
            orders: rules(["ports": [22, 22], "from": ["::/0"]]),
            cause: "network.security-group"
        ),
        DoctorScenario(
            name: "a prefix list without us",
            launch: closed,
            orders: rules(["ports": [22, 22], "from": ["pl-01"]])
                + network(["lists": ["pl-01": ["198.51.100.0/24"]]]),
            cause: "network.security-group",
            says: ["pl-01"]
        ),
        DoctorScenario(
            name: "a rule for the members of a group",
            launch: closed,
            orders: rules(["ports": [22, 22], "from": ["sg-0fedcba9876543210"]]),
            cause: "network.security-group",
            says: ["sg-0fedcba9876543210"]
        ),
        DoctorScenario(
            name: "an ACL entry before the others",
            launch: closed,
            orders: network([
                "acl": [
                    [90, false, false, "203.0.113.0/24", [22, 22], "6"], everything, everythingBack,
                ]
            ]),
            cause: "network.acl",
            says: ["entry 90 denies 203.0.113.0/24"],
            remedy: "describe-network-acls"
        ),
        DoctorScenario(
            name: "an ACL that lets no answers out",
            launch: closed,
            orders: network(["acl": [everything]]),
            cause: "network.acl",
            says: ["outbound tcp ports 1024-65535"]
        ),
        DoctorScenario(
            name: "an ACL that lets answers out to some ports only",
            launch: closed,
            orders: network([
                "acl": [everything, [100, true, true, "0.0.0.0/0", [32768, 65535], "6"]]
            ]),
            cause: "network.acl",
            says: ["outbound"]
        ),
        DoctorScenario(
            name: "no route",
            launch: closed,
            orders: network(["routes": []]),
            cause: "network.route",
            says: ["no route to 0.0.0.0/0"],
            remedy: "create-route"
        ),
        DoctorScenario(
            name: "a NAT gateway",
            launch: closed,
            orders: network(["routes": [["0.0.0.0/0", "nat-0123456789abcdef0", false]]]),
            cause: "network.route",
            says: ["nat-0123456789abcdef0", "private"]
        ),
        DoctorScenario(
            name: "a gateway that is no more",
            launch: closed,
            orders: network(["routes": [["0.0.0.0/0", "igw-0123456789abcdef0", true]]]),
            cause: "network.route",
            says: ["blackhole"]
        ),
        DoctorScenario(
            name: "a firewall of its own, as all of AWS's rules let us in",
            launch: closed,
            cause: "transport.tcp",
            says: ["timed out"],
            others: ["network.security-group": "ok", "network.acl": "ok", "network.route": "ok"]
        ),
        DoctorScenario(
            name: "group and route: the route comes first",
            launch: closed,
            orders: rules() + network(["routes": []]),
            cause: "network.route",
            others: ["network.security-group": "broken"]
        ),
    ]

    static let servers: [DoctorScenario] = [
        DoctorScenario(
            name: "nobody listens",
            launch: ["ssm": nil, "port": "refuse"],
            cause: "transport.tcp",
            says: ["refused"]
        ),
        DoctorScenario(
            name: "a firewall that says so",
            launch: ["ssm": nil, "port": "reject"],
            cause: "transport.tcp"
        ),
        DoctorScenario(
            name: "a host key that has changed",
            launch: alone,
            options: ["-o", "EC2VerifyHostKey=no"],
            cause: "transport.host-key",
            says: ["host key"]
        ),
        DoctorScenario(
            name: "a host key that nobody knows, and that nobody proves",
            launch: ["ssm": nil, "console": ""],
            options: ["-o", "StrictHostKeyChecking=ask"],
            cause: nil,
            others: ["transport.host-key": "note", "login.accepted": "note"]
        ),
    ]

    static let logins: [DoctorScenario] = [
        DoctorScenario(
            name: "another user than the image's",
            launch: ["instance_connect": false],
            options: ["-l", "ec2-user", "-o", "EC2PushKey=no"],
            cause: "login.user",
            says: ["ubuntu", "not ec2-user"],
            remedy: "ec2sh -l ubuntu i-"
        ),
        DoctorScenario(
            name: "another key than the pair's, and none is pushed",
            launch: ["instance_connect": false, "accepts_key": false],
            options: ["-o", "EC2PushKey=no"],
            cause: "login.accepted",
            says: ["not let in"]
        ),
        DoctorScenario(
            name: "the pair's key is not on this machine",
            launch: ["key_name": "my-key-ed25519", "accepts_key": false],
            options: ["-o", "EC2PushKey=no"],
            cause: "login.accepted",
            remedy: "my-key-ed25519"
        ),
    ]

    static let ways: [DoctorScenario] = [
        DoctorScenario(
            name: "private, and the agent has lost its connection",
            launch: ["public": false, "ssm": "ConnectionLost"],
            cause: "ways.ssm",
            says: ["not online (ConnectionLost)"],
            remedy: "describe-instance-information",
            others: ["instance.address": "note"]
        ),
        DoctorScenario(
            name: "private without a way out, and without VPC endpoints for the agent",
            launch: ["public": false, "ssm": "ConnectionLost"],
            orders: network(["routes": [], "endpoints": ["ssm"]]),
            cause: "ways.ssm",
            says: ["no VPC endpoint for ssmmessages, ec2messages"]
        ),
        DoctorScenario(
            name: "private, and no session may be started",
            launch: ["public": false],
            orders: [("deny", ["actions": ["ssm:StartSession"]])],
            cause: "ways.ssm",
            says: ["ssm:StartSession"]
        ),
        DoctorScenario(
            name: "private, and no tunnel may be opened",
            launch: ["public": false, "ssm": nil],
            orders: [
                ("endpoint", [:]), ("deny", ["actions": ["ec2-instance-connect:OpenTunnel"]]),
            ],
            cause: "ways.endpoint",
            says: ["eice-"]
        ),
        DoctorScenario(
            name: "private, and the endpoint's group does not lead to it",
            launch: ["public": false, "ssm": nil],
            orders: [("endpoint", ["reaches": false])],
            cause: "ways.endpoint",
            says: ["eice-"]
        ),
        DoctorScenario(
            name: "private, and nothing else is there",
            launch: ["public": false, "ssm": nil],
            cause: "instance.address",
            says: ["no public address"],
            remedy: "create-instance-connect-endpoint"
        ),
        DoctorScenario(
            name: "private, and EC2Ways allows the direct way alone",
            launch: ["public": false],
            options: ["-o", "EC2Ways=direct"],
            cause: "instance.address"
        ),
    ]

    /// Two things at once: the first one is named first, and what it hides is not told.
    static let pairs: [DoctorScenario] = [
        DoctorScenario(
            name: "a clock that is wrong, and no rule at all",
            launch: closed,
            orders: rules() + [("clock", ["seconds": -3600])],
            cause: "here.clock",
            says: ["ahead of"],
            others: ["aws.credentials": "ok", "network.security-group": "broken"]
        ),
        DoctorScenario(
            name: "a key that others can read, and a stopped instance",
            launch: ["ssm": nil, "state": "stopped"],
            prepare: { try $0.setMode(0o644, "key.pem") },
            cause: "here.key",
            others: ["instance.state": "broken", "login.accepted": "skipped"]
        ),
        DoctorScenario(
            name: "a key that others can read, and another user than the image's",
            launch: ["instance_connect": false],
            options: ["-l", "ec2-user", "-o", "EC2PushKey=no"],
            prepare: { try $0.setMode(0o644, "key.pem") },
            cause: "here.key",
            others: ["login.accepted": "skipped"]
        ),
        DoctorScenario(
            name: "a key that others can read, and no rule at all",
            launch: closed,
            orders: rules(),
            prepare: { try $0.setMode(0o640, "key.pem") },
            cause: "here.key",
            others: ["network.security-group": "broken"]
        ),
        DoctorScenario(
            name: "an ACL and a group",
            launch: closed,
            orders: rules() + network(["acl": []]),
            cause: "network.acl",
            says: ["entry * denies"],
            others: ["network.security-group": "broken", "transport.tcp": "skipped"]
        ),
        DoctorScenario(
            name: "no rule at all, and another user than the image's",
            launch: closed,
            orders: rules(),
            options: ["-l", "ec2-user"],
            cause: "network.security-group",
            others: ["login.user": "skipped", "login.accepted": "skipped"]
        ),
        DoctorScenario(
            name: "a stopped instance, and no rule at all",
            launch: ["ssm": nil, "state": "stopped"],
            orders: rules(),
            cause: "instance.state",
            others: ["network.security-group": "skipped"]
        ),
        DoctorScenario(
            name: "Windows, and no rule at all",
            launch: closed.merging(["platform": "windows"]) { $1 },
            orders: rules(),
            cause: "instance.platform",
            others: ["network.security-group": "skipped"]
        ),
        DoctorScenario(
            name: "a broken machine below, and no route",
            launch: closed.merging(["impaired": "system"]) { $1 },
            orders: network(["routes": []]),
            cause: "instance.status",
            others: ["network.route": "skipped"]
        ),
        DoctorScenario(
            name: "no route, and no permission to see the groups",
            launch: closed,
            orders: network(["routes": []])
                + [("deny", ["actions": ["ec2:DescribeSecurityGroups"]])],
            cause: "network.route",
            others: ["aws.permissions": "note", "network.security-group": "unknown"]
        ),
        DoctorScenario(
            name: "private, and neither the agent nor the endpoint leads in",
            launch: ["public": false, "ssm": "ConnectionLost"],
            orders: [("endpoint", ["reaches": false])],
            cause: "ways.endpoint",
            others: ["ways.ssm": "broken", "login.accepted": "skipped"]
        ),
        DoctorScenario(
            name: "credentials that are wrong, and a key that others can read",
            environment: ["AWS_SECRET_ACCESS_KEY": "0123456789012345678901234567890123456789"],
            prepare: { try $0.setMode(0o644, "key.pem") },
            cause: "here.key",
            others: ["aws.credentials": "broken", "instance.exists": "skipped"]
        ),
    ]
}
