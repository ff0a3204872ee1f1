/// The names that images on EC2 let in: config/users.json, and what the user has put before it.
public struct UserTable: Sendable, Equatable {
    /// One kind of image.
    struct Image: Sendable, Equatable {
        let names: [String]
        let owners: [String]
        let users: [String]
    }

    /// One kind of server.
    struct Banner: Sendable, Equatable {
        let pattern: String
        let users: [String]
    }

    var images: [Image] = []
    var banners: [Banner] = []
    var defaults: [String]?

    /// Makes a table without any row.
    public init() {}

    init(images: [Image], banners: [Banner], defaults: [String]?) {
        self.images = images
        self.banners = banners
        self.defaults = defaults
    }

    /// The names an image lets in, the most likely first.
    /// - Parameters:
    ///   - imageName: the AMI's name.
    ///   - owner: the account it belongs to; nil when it is not known.
    /// - Returns: nil when no row fits; empty when a row says that nobody gets in.
    public func users(imageName: String, owner: String?) -> [String]? {
        let fitting = images.filter { image in
            image.names.contains { matchesPattern($0, imageName) }
        }
        // An image of the same name by somebody else is most likely made from the real one.
        let own = fitting.first { image in owner.map(image.owners.contains) ?? false }
        return (own ?? fitting.first)?.users
    }

    /// The names to try where a server says no more than its version.
    /// - Parameter banner: the server's first line, such as `SSH-2.0-OpenSSH_8.7`.
    /// - Returns: the most likely first; empty when guessing is of no use.
    public func users(banner: String?) -> [String] {
        guard let banner, let dash = banner.dropFirst("SSH-".count).firstIndex(of: "-") else {
            return defaults ?? []
        }
        let software = String(banner[banner.index(after: dash)...])
        let row = banners.first { matchesPattern($0.pattern, software) }
        return row?.users ?? defaults ?? []
    }

    /// Puts the rows of another table before these.
    /// - Parameter first: the table that is asked first.
    /// - Returns: both.
    func preceded(by first: UserTable) -> UserTable {
        UserTable(
            images: first.images + images,
            banners: first.banners + banners,
            defaults: first.defaults ?? defaults
        )
    }
}

/// Whether a pattern with `*` and `?` takes a whole text; on a mismatch the last `*` is widened.
func matchesPattern(_ pattern: String, _ text: String) -> Bool {
    var (rest, left) = (pattern.utf8[...], text.utf8[...])
    var retry: (rest: Substring.UTF8View, left: Substring.UTF8View)?
    while let byte = left.first {
        if rest.first == UInt8(ascii: "*") {
            rest = rest.dropFirst()
            retry = (rest, left)
        } else if let wanted = rest.first, wanted == byte || wanted == UInt8(ascii: "?") {
            rest = rest.dropFirst()
            left = left.dropFirst()
        } else if let again = retry {
            (rest, left) = (again.rest, again.left.dropFirst())
            retry = (rest, left)
        } else {
            return false
        }
    }
    return rest.allSatisfy { $0 == UInt8(ascii: "*") }
}
