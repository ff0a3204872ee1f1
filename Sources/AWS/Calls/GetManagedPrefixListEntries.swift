extension ServiceCaller {
    /// Reads the ranges of a prefix list.
    ///
    /// EC2 API: `GetManagedPrefixListEntries`. IAM: `ec2:GetManagedPrefixListEntries`.
    /// - Parameter id: `pl-…`.
    /// - Returns: such as `203.0.113.0/24`.
    /// - Throws: ``ServiceError``.
    public func prefixListRanges(_ id: String) async throws(ServiceError) -> [String] {
        var ranges: [String] = []
        var page: String?
        // A list has 1000 entries at most, of which a page has 100.
        for _ in 0..<20 {
            let answer = try await query(
                .ec2,
                action: "GetManagedPrefixListEntries",
                version: ec2Version,
                [.init("PrefixListId", id)] + (page.map { [.init("NextToken", $0)] } ?? [])
            )
            ranges += answer.items("entrySet").compactMap { $0.text("cidr") }
            page = answer.text("nextToken")
            if page == nil { break }
        }
        return ranges
    }
}
