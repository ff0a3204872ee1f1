/// An AMI as DescribeImages tells of it.
public struct Image: Sendable, Equatable {
    /// `ami-…`.
    public var id: String
    /// Its name; nil for an AMI that is gone or not shown to us.
    public var name: String?
    /// The account that made it.
    public var owner: String?
    /// When it was made, as AWS writes it.
    public var created: String?
    /// The AMI it was copied or made from.
    public var sourceID: String?
    /// `windows`, or nil for everything else.
    public var platform: String?

    /// Begins with the id alone.
    /// - Parameter id: `ami-…`.
    public init(id: String) { self.id = id }
}
