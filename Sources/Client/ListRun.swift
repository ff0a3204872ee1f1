internal import Arguments
internal import EC2
internal import Faults
internal import Posix

/// `ec2sh list [PATTERN] [--json | --words]`: prints the instances of the regions.
public struct ListRun {
    private let context: Context
    private let cloud: Cloud
    private let table: UserTable

    /// Prepares a run.
    /// - Parameter context: what the run shares.
    /// - Throws: what is wrong with AWS's files or the table of names.
    public init(in context: Context) throws {
        self.context = context
        table = try UserTable.load(userFile: context.userTablePath)
        cloud = try Cloud(context.configuration.options, region: nil, table: table, in: context)
    }

    /// Asks AWS and prints.
    /// - Returns: 0; 1 when no instance fits the pattern.
    /// - Throws: ``EC2/InstanceLookupError``; ``Posix/SystemError`` when the output takes nothing.
    public func run() throws -> Int32 {
        let invocation = context.configuration.invocation
        if invocation.words.contains(.long(.words)) { return try printWords(invocation) }
        let answer = try context.poller.wait(for: try cloud.all())
        cloud.printNotes()
        let instances = InstanceTable.select(invocation.destination, from: answer ?? [])
        let user = { (known: KnownInstance) in table.users(of: known)?.first }
        if invocation.words.contains(.long(.json)) {
            try writeAll(1, Array(InstanceTable.json(instances, user: user).utf8))
        } else if !instances.isEmpty {
            let text = InstanceTable.lines(instances, user: user).map { $0 + "\n" }.joined()
            try writeAll(1, Array(text.utf8))
        }
        return instances.isEmpty ? 1 : 0
    }

    /// For completion: nobody is asked, whatever the cache has is good.
    private func printWords(_ invocation: Invocation) throws -> Int32 {
        let words = cloud.cachedWords(beginning: invocation.destination)
        try writeAll(1, Array(words.map { $0 + "\n" }.joined().utf8))
        return words.isEmpty ? 1 : 0
    }
}
