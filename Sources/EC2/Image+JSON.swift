internal import AWS
internal import JSONText

extension Image {
    var json: JSON {
        let members: [(String, String?)] = [
            ("ami", id), ("name", name), ("owner", owner), ("created", created),
            ("source", sourceID), ("platform", platform),
        ]
        return JSON(
            .object(members.compactMap { name, text in text.map { (name, JSON(.string($0))) } })
        )
    }

    init?(json: JSON) {
        guard let id = json["ami"]?.string else { return nil }
        self.init(id: id)
        name = json["name"]?.string
        owner = json["owner"]?.string
        created = json["created"]?.string
        sourceID = json["source"]?.string
        platform = json["platform"]?.string
    }
}
