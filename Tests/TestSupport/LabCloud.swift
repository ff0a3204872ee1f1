import Foundation

/// Where the lab's AWS is, as `lab.py run --cloud` describes it.
public struct LabCloud: Decodable, Sendable {
    /// The certificate of the authority behind every https and wss address, for AWS_CA_BUNDLE.
    public let ca: String
    /// The address that serves everything without TLS, for AWS_ENDPOINT_URL.
    public let endpoint: String
    /// The socket that takes orders.
    let control: String
    /// A process in the machine of the launched instances.
    public let fleet: Int

    /// Why tests of AWS's side are skipped.
    public static let skipReason = "needs the lab's cloud (lab.py run --cloud)"
}

/// An account of AWS's that one test has to itself: its keys, its instances, its endpoints, and
/// what was asked of it.
///
/// `Tests/Lab/gateway/control.py` says what can be ordered; the commonest orders have methods here.
public struct CloudAccount: Sendable {
    /// An access key.
    public struct Key: Decodable, Sendable {
        /// AWS_ACCESS_KEY_ID.
        public let id: String
        /// AWS_SECRET_ACCESS_KEY.
        public let secret: String
        /// AWS_SESSION_TOKEN; nil for a key that lasts.
        public let token: String?
    }

    /// A launched instance.
    ///
    /// Several live in one machine of the lab: LAB_INSTANCE in a session tells which one it is.
    public struct Instance: Decodable, Sendable {
        /// Its instance id.
        public let id: String
        /// Its Name tag.
        public let name: String?
        /// The account that has the key.
        public let user: String
        /// Its region.
        public let region: String
        /// Its public address.
        public let publicAddress: String?
        /// Its private address, which the client cannot reach.
        public let privateAddress: String
        /// Its IPv6 address.
        public let ipv6Address: String?
        /// Its public DNS name, which the client can look up.
        public let publicName: String?
        /// Its private DNS name, which the client cannot look up.
        public let privateName: String
        /// Its host keys, as lines of a public key file.
        public let hostKeys: [String]
        /// The file its servers write to.
        public let log: String
    }

    /// What was asked of the account.
    public struct Calls: Decodable, Sendable {
        /// How often each "service:Action" was.
        public let counts: [String: Int]
        /// What a client must not do, and did.
        public let violations: [String]
        /// How many calls were refused since there were too many.
        public let throttled: Int

        /// How often an action was asked for.
        public subscript(action: String) -> Int { counts[action] ?? 0 }
        /// How many calls there were at all.
        public var total: Int { counts.values.reduce(0, +) }
    }

    /// A session of Systems Manager.
    public struct Session: Decodable, Sendable {
        /// Its id.
        public let id: String
        /// "Connected" or "Terminated".
        public let state: String
        /// How many websockets it had.
        public let attached: Int
        /// How many of them were cut as the plan says.
        public let cuts: Int
        /// Frames that the client sent.
        public let up: Int
        /// Frames that the client was sent.
        public let down: Int
        /// Bytes from the client that reached the instance.
        public let bytesUp: Int
        /// Bytes that came from the instance.
        public let bytesDown: Int
    }

    /// Its number.
    public let id: String
    /// Its first access key.
    public let key: Key
    /// The lab's cloud.
    public let cloud: LabCloud

    /// Opens an account.
    /// - Parameter shared: whether it sees the lab's own instances too.
    /// - Throws: ``LabError`` outside of a lab with a cloud.
    public init(shared: Bool = false) async throws {
        guard let cloud = try Lab.here().aws else { throw LabError.notInLab }
        struct Answer: Decodable {
            let account: String
            let key: Key
        }
        let answer: Answer = try await cloud.ask(["do": "account", "shared": .truth(shared)])
        id = answer.account
        key = answer.key
        self.cloud = cloud
        SecretWatch.add([key.secret, key.token].compactMap { $0 })
    }

    /// What makes a program use the account, with AWS's own addresses over TLS.
    public var environment: [String: String] { environment(for: key) }

    /// The same with one address for everything and without TLS.
    public var plainEnvironment: [String: String] {
        environment.merging(["AWS_ENDPOINT_URL": cloud.endpoint]) { $1 }
    }

    /// What makes a program use the account with another of its keys.
    public func environment(for key: Key) -> [String: String] {
        var made = [
            "AWS_ACCESS_KEY_ID": key.id, "AWS_SECRET_ACCESS_KEY": key.secret,
            "AWS_REGION": "eu-central-1", "AWS_CA_BUNDLE": cloud.ca,
            "AWS_EC2_METADATA_DISABLED": "true",
        ]
        made["AWS_SESSION_TOKEN"] = key.token
        return made
    }

    /// Gives an order and reads the answer.
    /// - Parameters:
    ///   - what: the order, such as "plan".
    ///   - fields: what it takes; the account is added.
    ///   - type: what the answer is read as.
    /// - Returns: the answer.
    /// - Throws: ``LabError/cloud(_:)``.
    public func order<Answer: Decodable & Sendable>(
        _ what: String,
        _ fields: [String: CloudValue],
        as type: Answer.Type = Answer.self
    ) async throws -> Answer {
        var all = fields
        all["do"] = .text(what)
        all["account"] = .text(id)
        return try await cloud.ask(all)
    }

    /// Gives an order.
    /// - Throws: ``LabError/cloud(_:)``.
    public func order(_ what: String, _ fields: [String: CloudValue] = [:]) async throws {
        struct Nothing: Decodable {}
        _ = try await order(what, fields, as: Nothing.self)
    }

    /// Launches an instance and returns when it is there.
    /// - Parameters:
    ///   - name: its Name tag.
    ///   - image: which of the lab's images, such as `debian`.
    ///   - fields: more of the order, such as ["public": false, "state": "pending"].
    /// - Returns: the instance.
    /// - Throws: ``LabError/cloud(_:)``.
    public func launch(
        _ name: String? = nil,
        image: String = "ubuntu",
        _ fields: [String: CloudValue] = [:]
    ) async throws -> Instance {
        guard let one = try await launch(count: 1, name, image: image, fields).first else {
            throw LabError.cloud("nothing was launched")
        }
        return one
    }

    /// Launches several instances, called NAME-1, NAME-2 and so on.
    /// - Throws: ``LabError/cloud(_:)``.
    public func launch(
        count: Int,
        _ name: String? = nil,
        image: String = "ubuntu",
        _ fields: [String: CloudValue] = [:]
    ) async throws -> [Instance] {
        struct Answer: Decodable, Sendable { let instances: [Instance] }
        var all = fields
        all["image"] = .text(image)
        all["count"] = .whole(count)
        all["name"] = name.map { .text($0) } ?? .nothing
        return try await order("launch", all, as: Answer.self).instances
    }

    /// Changes an instance, as in ["port": "drop"], ["state": "stopped"] or ["ssm": nil].
    /// - Throws: ``LabError/cloud(_:)``.
    public func set(_ instance: Instance, _ fields: [String: CloudValue]) async throws {
        var all = fields
        all["instance"] = .text(instance.id)
        try await order("set", all)
    }

    /// Makes an Instance Connect endpoint in the account's VPC and returns its id.
    /// - Throws: ``LabError/cloud(_:)``.
    @discardableResult
    public func endpoint(_ fields: [String: CloudValue] = [:]) async throws -> String {
        struct Answer: Decodable, Sendable { let endpoint: String }
        return try await order("endpoint", fields, as: Answer.self).endpoint
    }

    /// Makes another access key.
    /// - Parameter lifetime: seconds until it expires; it has a session token then.
    /// - Returns: the key.
    /// - Throws: ``LabError/cloud(_:)``.
    public func anotherKey(lifetime: Double) async throws -> Key {
        struct Answer: Decodable, Sendable { let key: Key }
        let fields: [String: CloudValue] = ["lifetime": .number(lifetime), "kind": "ASIA"]
        let key = try await order("key", fields, as: Answer.self).key
        SecretWatch.add([key.secret, key.token].compactMap { $0 })
        return key
    }

    /// What was asked of the account so far.
    /// - Parameter reset: whether to begin anew.
    /// - Returns: how often each action was asked for, and what was done wrong.
    /// - Throws: ``LabError/cloud(_:)``.
    public func calls(reset: Bool = false) async throws -> Calls {
        try await order("calls", ["reset": .truth(reset)])
    }

    /// What nobody but the client and AWS should ever see: keys, tokens, signatures of addresses.
    /// - Throws: ``LabError/cloud(_:)``.
    public func secrets() async throws -> [String] {
        struct Answer: Decodable, Sendable { let secrets: [String] }
        return try await order("secrets", [:], as: Answer.self).secrets
    }

    /// The sessions of Systems Manager so far.
    /// - Throws: ``LabError/cloud(_:)``.
    public func sessions() async throws -> [Session] {
        struct Answer: Decodable, Sendable { let sessions: [Session] }
        return try await order("sessions", [:], as: Answer.self).sessions
    }
}

private struct Refusal: Decodable {
    let error: String
}

extension LabCloud {
    /// Sends one line and reads one.
    func ask<Answer: Decodable & Sendable>(_ order: [String: CloudValue]) async throws -> Answer {
        let line = try JSONEncoder().encode(order) + Data("\n".utf8)
        let answer = try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async {
                continuation.resume(with: Result { try exchange(line) })
            }
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        if let refusal = try? decoder.decode(Refusal.self, from: answer) {
            throw LabError.cloud(refusal.error)
        }
        return try decoder.decode(Answer.self, from: answer)
    }

    private func exchange(_ line: Data) throws -> Data {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(number) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: control.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw LabError.cloud("the gateway is not there") }
        let handle = FileHandle(fileDescriptor: number, closeOnDealloc: false)
        try handle.write(contentsOf: line)
        var answer = Data()
        while answer.last != UInt8(ascii: "\n") {
            let more = handle.availableData
            if more.isEmpty { throw LabError.cloud("the gateway has ended") }
            answer += more
        }
        return answer
    }
}
