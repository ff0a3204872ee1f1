public import Foundation
import Synchronization

/// An account of the lab with an empty home, used by one test.
///
/// OpenSSH and we take the home from passwd, not from HOME; so a test that wants files of its own
/// wants an account of its own. The lab has hundreds; each is given out once.
public struct LabUser: Sendable {
    /// The account's name.
    public let name: String
    /// Its user and group number.
    public let number: Int
    /// Its home, mode 0700.
    public let home: String

    private static let next = Atomic<Int>(0)

    /// Takes an account nobody has used.
    /// - Throws: ``LabError`` outside of the lab or when all are used.
    public init() throws {
        let spare = try Lab.here().spareUsers
        let index = LabUser.next.add(1, ordering: .relaxed).oldValue
        guard index < spare.count else { throw LabError.noSpareUser }
        let prefix = spare.firstName.trimmingCharacters(in: .decimalDigits)
        name = prefix + String(format: "%03d", index)
        number = spare.firstNumber + index
        home = "\(spare.homes)/\(name)"
        try makeDirectory("")
    }

    /// The path of something below the home.
    public func path(_ name: String) -> String { name.isEmpty ? home : "\(home)/\(name)" }

    /// Makes a directory below the home, mode 0700, owned by the account.
    /// - Throws: when it cannot be made.
    public func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: path(name),
            withIntermediateDirectories: true
        )
        try give(name, mode: 0o700)
    }

    /// Writes a file below the home, owned by the account; its directories are made.
    /// - Throws: when it cannot be written.
    @discardableResult
    public func write(_ name: String, _ contents: Data, mode: Int = 0o600) throws -> String {
        if let slash = name.lastIndex(of: "/") { try makeDirectory(String(name[..<slash])) }
        try contents.write(to: URL(fileURLWithPath: path(name)))
        try give(name, mode: mode)
        return path(name)
    }

    /// Writes a text file below the home.
    /// - Throws: when it cannot be written.
    @discardableResult
    public func write(_ name: String, _ text: String, mode: Int = 0o600) throws -> String {
        try write(name, Data(text.utf8), mode: mode)
    }

    /// Gives the account a copy of one of the lab's private keys.
    /// - Throws: ``LabError`` when there is no such key.
    @discardableResult
    public func takeKey(
        _ kind: String = "rsa",
        as name: String = "key.pem",
        mode: Int = 0o600
    )
        throws -> String
    {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: Lab.here().key(kind)))
        return try write(name, bytes, mode: mode)
    }

    /// The contents of a file below the home, nil when there is none.
    public func contents(_ name: String) -> String? {
        try? String(contentsOfFile: path(name), encoding: .utf8)
    }

    /// The permission bits of a file below the home.
    /// - Throws: when there is none.
    public func mode(_ name: String) throws -> Int {
        let facts = try FileManager.default.attributesOfItem(atPath: path(name))
        return (facts[.posixPermissions] as? NSNumber)?.intValue ?? -1
    }

    /// Every file below the home with its contents and permissions, to compare before and after.
    public func files() -> [String: String] {
        var found: [String: String] = [:]
        for name in FileManager.default.enumerator(atPath: home)?.compactMap({ $0 as? String })
            ?? []
        {
            let bytes = FileManager.default.contents(atPath: path(name))
            let mode = (try? mode(name)) ?? -1
            found[name] = "\(String(mode, radix: 8)) \(bytes?.base64EncodedString() ?? "-")"
        }
        return found
    }

    private func give(_ name: String, mode: Int) throws {
        try FileManager.default.setAttributes(
            [
                .posixPermissions: NSNumber(value: mode),
                .ownerAccountID: NSNumber(value: number),
                .groupOwnerAccountID: NSNumber(value: number),
            ],
            ofItemAtPath: path(name)
        )
    }
}
