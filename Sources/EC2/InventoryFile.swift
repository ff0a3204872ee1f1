internal import AWS
internal import JSONText

/// The cache of one region's instances, as text: a line for each thing, so that one instance of
/// thousands is found without reading the others.
///
///     {"ec2sh":"inventory 1","scope":"default@eu-west-1","fetched":1700000000,"whole":true}
///     {"id":"i-0123456789abcdef0",…}
///     {"ami":"ami-0123456789abcdef0",…}
///     {"lines":3}
struct InventoryFile: Sendable {
    /// Whose instances these are.
    let scope: String
    /// When AWS was asked for all of them.
    var fetched: Timestamp
    /// Whether these are all there are; else only those that were asked for.
    var isWhole: Bool
    private var instanceLines: [ArraySlice<UInt8>] = []
    private var imageLines: [ArraySlice<UInt8>] = []

    /// Begins with nothing.
    init(scope: String, fetched: Timestamp, isWhole: Bool) {
        self.scope = scope
        self.fetched = fetched
        self.isWhole = isWhole
    }

    /// Understands a file.
    /// - Parameters:
    ///   - bytes: all of it.
    ///   - scope: whose it should be; anything else, or anything wrong, gives nil.
    init?(_ bytes: [UInt8], scope: String) {
        let lines = bytes.split(separator: UInt8(ascii: "\n"))
        guard bytes.last == UInt8(ascii: "\n"), lines.count >= 2, let first = lines.first,
            let last = lines.last, let heading = try? JSON.parse(Array(first)),
            heading["ec2sh"]?.string == InventoryFile.kind, heading["scope"]?.string == scope,
            let fetched = heading["fetched"]?.integer, let isWhole = heading["whole"]?.bool,
            let end = try? JSON.parse(Array(last)), end["lines"]?.integer == lines.count - 1
        else { return nil }
        self.init(scope: scope, fetched: Timestamp(seconds: Int64(fetched)), isWhole: isWhole)
        for line in lines.dropFirst().dropLast() {
            if line.starts(with: InventoryFile.imageMark) {
                imageLines.append(line)
            } else {
                instanceLines.append(line)
            }
        }
    }

    /// The file's contents.
    var bytes: [UInt8] {
        let heading: JSON = .object([
            "ec2sh": JSON(.string(InventoryFile.kind)), "scope": JSON(.string(scope)),
            "fetched": JSON(.number(Double(fetched.seconds))), "whole": JSON(.bool(isWhole)),
        ])
        let lines = instanceLines + imageLines
        let end: JSON = .object(["lines": JSON(.number(Double(lines.count + 1)))])
        var bytes = Array(heading.text.utf8)
        for line in lines + [end.text.utf8[...].map { $0 }[...]] {
            bytes.append(UInt8(ascii: "\n"))
            bytes += line
        }
        return bytes + [UInt8(ascii: "\n")]
    }

    /// Finds instances.
    /// - Parameter target: the word they are to match.
    /// - Returns: those that match, with their images.
    func instances(matching target: InstanceTarget) -> [KnownInstance] {
        let needles = target.evidence.map { Array(JSON(.string($0)).text.utf8) }
        return instanceLines.compactMap { line in
            guard needles.contains(where: { line.contains($0) }), let known = read(line),
                target.matches(known.instance)
            else { return nil }
            return withImages(known)
        }
    }

    /// All instances, with their images.
    var instances: [KnownInstance] { instanceLines.compactMap { read($0).map(withImages) } }

    /// How many instances there are.
    var instanceCount: Int { instanceLines.count }

    /// An AMI; nil when it has not been asked for.
    func image(_ id: String) -> Image? {
        let start = InventoryFile.imageMark + Array(JSON(.string(id)).text.utf8)
        guard let line = imageLines.first(where: { $0.starts(with: start) }),
            let json = try? JSON.parse(Array(line))
        else { return nil }
        return Image(json: json)
    }

    /// Puts an instance in the place of what was known of it.
    mutating func put(_ known: KnownInstance) {
        let start = Array("{\"id\":\(JSON(.string(known.instance.id)).text)".utf8)
        instanceLines.removeAll { $0.starts(with: start) }
        append(known)
    }

    /// Adds an instance that was not there.
    mutating func append(_ known: KnownInstance) {
        var known = known
        known.images = []
        known.health = nil
        instanceLines.append(Array(known.json.text.utf8)[...])
    }

    /// Puts an AMI in the place of what was known of it.
    mutating func put(_ image: Image) {
        let start = InventoryFile.imageMark + Array(JSON(.string(image.id)).text.utf8)
        imageLines.removeAll { $0.starts(with: start) }
        imageLines.append(Array(image.json.text.utf8)[...])
    }

    /// Takes over the AMIs of an older file: what they are never changes.
    mutating func takeImages(of older: InventoryFile) { imageLines = older.imageLines }

    private func read(_ line: ArraySlice<UInt8>) -> KnownInstance? {
        (try? JSON.parse(Array(line))).flatMap(KnownInstance.init(json:))
    }

    /// An instance with its images, as far as they are here.
    func withImages(_ known: KnownInstance) -> KnownInstance {
        var known = known
        var next = known.instance.imageID
        // AMIs are made from others only so often; a ring of them would be a lie.
        while let id = next, known.images.count < 4, let image = image(id) {
            known.images.append(image)
            next = image.sourceID
        }
        return known
    }

    private static let kind = "inventory 1"
    private static let imageMark = Array("{\"ami\":".utf8)
}

extension ArraySlice<UInt8> {
    /// Whether bytes stand somewhere in these.
    fileprivate func contains(_ needle: [UInt8]) -> Bool {
        guard let first = needle.first else { return true }
        var rest = self
        while let place = rest.firstIndex(of: first) {
            rest = rest[place...]
            if rest.starts(with: needle) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
