internal import AWS
internal import JSONText
internal import Posix

/// The cache of one region's instances, as text: a line for each thing, so that one instance of
/// thousands is found without reading the others.
///
///     {"ec2sh":"inventory 1","scope":"default@eu-west-1","fetched":1700000000,"whole":true}
///     {"id":"i-0123456789abcdef0",…}
///     {"ami":"ami-0123456789abcdef0",…}
///     {"pair":"my-key",…}
///     {"asked":"web","at":1700000000}
///     {"vpc":"vpc-0123456789abcdef0","endpoints":[…],"seen":1700000000}
///     {"size":123}
struct InventoryFile: Sendable {
    /// Whose instances these are.
    let scope: String
    /// When AWS was asked for all of them.
    var fetched: Timestamp
    /// Whether these are all there are; else only those that were asked for.
    var isWhole: Bool
    /// Instances, AMIs and endpoints, each with a line end before it.
    private var lines: [UInt8] = []

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
        guard bytes.last == lineEnd, let first = bytes.firstIndex(of: lineEnd),
            let last = bytes.dropLast().lastIndex(of: lineEnd),
            let heading = try? JSON.parse(Array(bytes[..<first])),
            heading["ec2sh"]?.string == InventoryFile.kind, heading["scope"]?.string == scope,
            let fetched = heading["fetched"]?.integer, let isWhole = heading["whole"]?.bool,
            let end = try? JSON.parse(Array(bytes[last...])), end["size"]?.integer == last
        else { return nil }
        self.init(scope: scope, fetched: Timestamp(seconds: Int64(fetched)), isWhole: isWhole)
        lines = Array(bytes[first..<last])
    }

    /// The file's contents.
    var bytes: [UInt8] {
        let heading: JSON = .object([
            "ec2sh": JSON(.string(InventoryFile.kind)), "scope": JSON(.string(scope)),
            "fetched": JSON(.number(Double(fetched.seconds))), "whole": JSON(.bool(isWhole)),
        ])
        let bytes = Array(heading.text.utf8) + lines
        let end: JSON = .object(["size": JSON(.number(Double(bytes.count)))])
        return bytes + [lineEnd] + Array(end.text.utf8) + [lineEnd]
    }

    /// Finds instances.
    /// - Parameter target: the word they are to match.
    /// - Returns: those that match, with their images.
    func instances(matching target: InstanceTarget) -> [KnownInstance] {
        let places = target.evidence.flatMap { lines(with: Array(quoted($0).utf8)) }
        return Set(places).sorted { $0.lowerBound < $1.lowerBound }.compactMap { place in
            guard let known = read(place), target.matches(known.instance) else { return nil }
            return withImages(known)
        }
    }

    /// All instances, with their images.
    var instances: [KnownInstance] {
        lines(with: InventoryFile.instanceMark).compactMap { read($0).map(withImages) }
    }

    /// What people call each instance that is not gone: its Name tag and its id.
    ///
    /// They stand first in a line, so that nothing else of thousands has to be read.
    var callings: [(name: String?, id: String)] {
        lines(with: InventoryFile.instanceMark).compactMap { place in
            let end = position(of: InventoryFile.regionMark, in: lines, from: place.lowerBound)
            let head = lines[place.lowerBound..<min(end ?? place.upperBound, place.upperBound)]
            let text = head.last == closingBrace ? Array(head) : head + [closingBrace]
            guard let json = try? JSON.parse(text), let id = json["id"]?.string,
                let state = json["state"]?.string, !InstanceState(rawValue: state).isGone
            else { return nil }
            return (json["name"]?.string, id)
        }
    }

    /// How many instances there are.
    var instanceCount: Int { lines(with: InventoryFile.instanceMark).count }

    /// An AMI; nil when it has not been asked for.
    func image(_ id: String) -> Image? {
        let place = lines(with: InventoryFile.imageMark + Array(quoted(id).utf8)).first
        return place.flatMap { try? JSON.parse(Array(lines[$0])) }.flatMap(Image.init(json:))
    }

    /// Puts an instance in the place of what was known of it.
    mutating func put(_ known: KnownInstance) {
        remove(known)
        append(known)
    }

    /// Adds an instance that was not there.
    mutating func append(_ known: KnownInstance) {
        var known = known
        known.images = []
        known.health = nil
        append(known.json)
    }

    /// Puts an AMI in the place of what was known of it.
    mutating func put(_ image: Image) {
        remove(InventoryFile.imageMark + Array(quoted(image.id).utf8))
        append(image.json)
    }

    /// Takes out an instance that AWS does not tell of any more.
    mutating func remove(_ known: KnownInstance) {
        remove(InventoryFile.instanceMark + Array(quoted(known.instance.id).utf8))
    }

    /// When AWS was asked for a word alone; nil when nobody did since the list was made.
    func asked(_ word: String) -> Timestamp? {
        let place = lines(with: InventoryFile.askedMark + Array(quoted(word).utf8)).first
        let seconds = place.flatMap { try? JSON.parse(Array(lines[$0])) }?["at"]?.integer
        return seconds.map { Timestamp(seconds: Int64($0)) }
    }

    /// Notes that AWS was asked for a word: what is here now is all that matches it.
    mutating func noteAsked(_ word: String, at time: Timestamp) {
        remove(InventoryFile.askedMark + Array(quoted(word).utf8))
        append(
            .object(["asked": JSON(.string(word)), "at": JSON(.number(Double(time.seconds)))])
        )
    }

    /// A key pair; nil when it has not been asked for.
    func keyPair(_ name: String) -> KnownKeyPair? {
        let place = lines(with: InventoryFile.pairMark + Array(quoted(name).utf8)).first
        return place.flatMap { try? JSON.parse(Array(lines[$0])) }
            .flatMap(KnownKeyPair.init(json:))
    }

    /// Puts a key pair in the place of what was known of it.
    mutating func put(_ pair: KnownKeyPair) {
        remove(InventoryFile.pairMark + Array(quoted(pair.name).utf8))
        append(pair.json)
    }

    /// The endpoints of a VPC; nil when they have not been asked for.
    func endpoints(in vpc: String) -> KnownEndpoints? {
        let place = lines(with: InventoryFile.endpointMark + Array(quoted(vpc).utf8)).first
        return place.flatMap { try? JSON.parse(Array(lines[$0])) }
            .flatMap(KnownEndpoints.init(json:))
    }

    /// Puts a VPC's endpoints in the place of what was known of them.
    mutating func put(_ endpoints: KnownEndpoints) {
        remove(InventoryFile.endpointMark + Array(quoted(endpoints.vpc).utf8))
        append(endpoints.json)
    }

    /// Takes over from an older file what a list of instances does not tell: AMIs, which never
    /// change, key pairs, endpoints, and machines that are not EC2's.
    mutating func takeOthers(of older: InventoryFile) {
        let marks = [
            InventoryFile.imageMark, InventoryFile.pairMark, InventoryFile.managedMark,
            InventoryFile.endpointMark,
        ]
        for place in marks.flatMap(older.lines(with:)) {
            lines += [lineEnd] + older.lines[place]
        }
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

    private func read(_ place: Range<Int>) -> KnownInstance? {
        (try? JSON.parse(Array(lines[place]))).flatMap(KnownInstance.init(json:))
    }

    private mutating func append(_ json: JSON) { lines += [lineEnd] + Array(json.text.utf8) }

    private mutating func remove(_ mark: [UInt8]) {
        for place in lines(with: mark).reversed() {
            lines.removeSubrange((place.lowerBound - 1)..<place.upperBound)
        }
    }

    /// Where the lines are, without their line ends, that have these bytes in them.
    private func lines(with needle: [UInt8]) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var start = 0
        while let hit = position(of: needle, in: lines, from: start) {
            let before = lines[...hit].lastIndex(of: lineEnd) ?? hit
            let end = position(of: [lineEnd], in: lines, from: hit + 1) ?? lines.count
            places.append((before + 1)..<end)
            start = end
        }
        return places
    }

    private static let kind = "inventory 1"
    /// Nothing within a line looks like these: a text has no line end, and its quotes are escaped.
    private static let instanceMark = Array("\n{\"id\":".utf8)
    private static let regionMark = Array(",\"region\":".utf8)
    private static let imageMark = Array("\n{\"ami\":".utf8)
    private static let pairMark = Array("\n{\"pair\":".utf8)
    private static let managedMark = Array("\n{\"id\":\"mi-".utf8)
    private static let askedMark = Array("\n{\"asked\":".utf8)
    private static let endpointMark = Array("\n{\"vpc\":".utf8)
}

private let lineEnd = UInt8(ascii: "\n")
private let closingBrace = UInt8(ascii: "}")

private func quoted(_ text: String) -> String { JSON(.string(text)).text }
