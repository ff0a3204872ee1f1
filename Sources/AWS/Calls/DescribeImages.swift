extension ServiceCaller {
    /// Tells what AMIs are.
    ///
    /// EC2 API: `DescribeImages`. IAM: `ec2:DescribeImages`.
    /// - Parameter ids: `ami-…`, at most 200.
    /// - Returns: those that still exist and are shown to us, deprecated ones as well.
    /// - Throws: ``ServiceError``.
    public func describeImages(_ ids: [String]) async throws(ServiceError) -> [Image] {
        // Asked for by their ids, a single one that is gone would fail the others.
        let filters = InstanceFilter.fields([InstanceFilter("image-id", ids)])
        let answer = try await query(
            .ec2,
            action: "DescribeImages",
            version: ec2Version,
            filters + [.init("IncludeDeprecated", "true")]
        )
        return answer.items("imagesSet").compactMap(Image.init(_:))
    }
}

extension Image {
    /// Reads an element of DescribeImages; nil without an id.
    fileprivate init?(_ element: XMLElement) {
        guard let id = element.text("imageId") else { return nil }
        self.init(id: id)
        name = element.text("name")
        owner = element.text("imageOwnerId")
        created = element.text("creationDate")
        sourceID = element.text("sourceImageId")
        platform = element.text("platform")
    }
}
