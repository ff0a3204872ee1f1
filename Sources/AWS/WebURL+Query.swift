extension WebURL {
    /// The fields of the query, decoded.
    public var query: [APIRequest.Field] {
        guard let mark = target.firstIndex(of: "?") else { return [] }
        return target[target.index(after: mark)...].split(separator: "&").map { field in
            let parts = field.split(
                separator: "=",
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            let value = parts.count == 2 ? String(parts[1]) : ""
            return APIRequest.Field(percentDecoded(String(parts[0])), percentDecoded(value))
        }
    }
}
