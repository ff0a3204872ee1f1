import Foundation

/// The cloud the tests run in, as `Tests/Lab/lab.py` describes it in `LAB_JSON`.
public struct Lab: Decodable, Sendable {
    /// One machine of the cloud.
    public struct Instance: Decodable, Sendable {
        /// What the lab calls it, such as `ubuntu`.
        public let name: String
        /// The account that has the key.
        public let user: String
        /// What its server announces.
        public let banner: String
        /// Its instance id, nil when it is not on EC2.
        public let id: String?
        /// Its public DNS name, nil when it has none.
        public let publicName: String?
        /// Its private DNS name.
        public let privateName: String
        /// Its public IPv4 address, nil in the private subnet.
        public let publicAddress: String?
        /// Its IPv6 address, nil in the private subnet.
        public let ipv6Address: String?
        /// The directory of its host keys.
        public let hostKeys: String
        /// Its sshd's log file.
        public let log: String

        /// A name that is not one of EC2's: nothing but ssh's own behaviour applies to it.
        public var plainName: String { "\(name).lab" }
    }

    struct SpareUsers: Decodable, Sendable {
        let count: Int
        let firstName: String
        let firstNumber: Int
        let homes: String
    }

    /// The directory that holds all of the lab.
    public let root: String
    /// The binary under test.
    public let binary: String?
    /// The key pair's name.
    public let keyPair: String
    /// Private keys by kind: rsa, ed25519, stranger, authority (signs certificates for `plain`), and
    /// ppk2 and ppk3 where puttygen is.
    public let keys: [String: String]
    /// All machines.
    public let instances: [Instance]
    /// Where AWS is; nil in a lab without a cloud.
    public let aws: LabCloud?
    let spareUsers: SpareUsers

    /// The lab this process runs in; nil outside of one.
    public static let current: Lab? = {
        guard let text = ProcessInfo.processInfo.environment["LAB_JSON"] else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(Lab.self, from: Data(text.utf8))
    }()

    /// Whether there is a lab, for `.enabled(if:)`.
    public static var isHere: Bool { current != nil }

    /// Whether the lab has a cloud, for `.enabled(if:)`.
    public static var hasCloud: Bool { current?.aws != nil }

    /// Whether a missing lab is a failure and no reason to skip: `config/dev test` says so.
    public static var isRequired: Bool {
        ProcessInfo.processInfo.environment["EC2SH_LAB"] == "required"
    }

    /// Why tests of the lab are skipped outside of it.
    public static let skipReason = "needs the lab (config/dev test starts it; root and namespaces)"

    /// The lab this process runs in.
    /// - Throws: ``LabError/notInLab`` outside of one.
    public static func here() throws -> Lab {
        guard let current else { throw LabError.notInLab }
        return current
    }

    /// Finds a machine.
    /// - Parameter name: as in `Tests/Lab/cloud/flavours.py`.
    /// - Returns: its description.
    /// - Throws: ``LabError/noSuchInstance(_:)``.
    public func instance(_ name: String) throws -> Instance {
        guard let found = instances.first(where: { $0.name == name }) else {
            throw LabError.noSuchInstance(name)
        }
        return found
    }

    /// The file of a private key.
    /// - Parameter kind: as in ``keys``.
    /// - Returns: its path.
    /// - Throws: ``LabError/noSuchKey(_:)``, for ppk where there is no puttygen.
    public func key(_ kind: String) throws -> String {
        guard let path = keys[kind] else { throw LabError.noSuchKey(kind) }
        return path
    }
}

/// What a test asked of the lab that it does not have.
public enum LabError: Error {
    /// The process was not started by lab.py.
    case notInLab
    /// There is no machine of this name.
    case noSuchInstance(String)
    /// There is no key of this kind.
    case noSuchKey(String)
    /// More tests ask for homes than there are spare accounts.
    case noSpareUser
    /// A helper program of the lab did not say what it should.
    case helper(String)
    /// The lab's cloud did not do as it was told.
    case cloud(String)
}
