internal import AWS

extension UserTable {
    /// The names an instance lets in, judged by its AMI: before anything was sent to it.
    ///
    /// An image that somebody made is judged by the one it was made from.
    /// - Parameter known: the instance, with its images.
    /// - Returns: nil when nothing is known; empty when nobody gets in by ssh.
    public func users(of known: KnownInstance) -> [String]? {
        for image in known.images {
            guard let name = image.name else { continue }
            if let users = users(imageName: name, owner: image.owner) { return users }
        }
        let platforms = [known.instance.platform] + known.images.map(\.platform)
        return platforms.contains { $0?.lowercased() == "windows" } ? ["Administrator"] : nil
    }
}
