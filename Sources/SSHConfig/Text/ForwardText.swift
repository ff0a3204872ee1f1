/// Reads forwarding specifications.
///
/// C: `parse_forward` in `readconf.c`.
struct ForwardText {
    /// What the specification is for.
    enum Kind {
        case local
        case remote
        case dynamic
        case remoteDynamic

        var isDynamic: Bool { self == .dynamic || self == .remoteDynamic }
        var isRemote: Bool { self == .remote || self == .remoteDynamic }
    }

    /// Hosts from this length on are refused; C: `NI_MAXHOST`.
    static let longestHost = 1_025
    /// Socket paths from this length on are refused; C: `sun_path`.
    static let longestPath = 108

    /// Reads a specification.
    /// - Parameters:
    ///   - text: `[bind:]port[:host:port]`, with paths in place of either half; `${}` expanded.
    ///   - kind: what it is for.
    ///   - services: ports by name.
    /// - Returns: nil when it is none of that kind.
    static func read(_ text: Bytes, _ kind: Kind, _ services: ServicePorts) -> Forward? {
        guard let fields = fields(text.drop(while: \.isSpace)) else { return nil }
        func port(_ index: Int) -> Int { Numbers.port(fields[index].text[...], services) ?? -1 }
        func host(_ index: Int) -> String { LosslessText.string(fields[index].text) }
        func path(_ index: Int) -> String? { fields[index].isPath ? host(index) : nil }

        let forward: Forward
        var isComplete = fields.count >= 3
        switch fields.count {
        case 1:
            forward = Forward(
                listener: path(0).map { .unix(path: $0) } ?? .tcp(host: nil, port: port(0)),
                destination: .socks
            )
            isComplete = path(0) != nil
        case 2:
            if let target = path(1) {
                forward = Forward(
                    listener: path(0).map { .unix(path: $0) } ?? .tcp(host: nil, port: port(0)),
                    destination: .unix(path: target)
                )
                isComplete = true
            } else {
                forward = Forward(listener: .tcp(host: host(0), port: port(1)), destination: .socks)
            }
        case 3:
            if let listener = path(0) {
                forward = Forward(
                    listener: .unix(path: listener),
                    destination: .tcp(host: host(1), port: port(2))
                )
            } else if let target = path(2) {
                forward = Forward(
                    listener: .tcp(host: host(0), port: port(1)),
                    destination: .unix(path: target)
                )
            } else {
                forward = Forward(
                    listener: .tcp(host: nil, port: port(0)),
                    destination: .tcp(host: host(1), port: port(2))
                )
            }
        default:
            forward = Forward(
                listener: .tcp(host: host(0), port: port(1)),
                destination: .tcp(host: host(2), port: port(3))
            )
        }
        if kind.isDynamic { isComplete = fields.count <= 2 }
        return isComplete && isSound(forward, kind) ? forward : nil
    }

    private static func isSound(_ forward: Forward, _ kind: Kind) -> Bool {
        switch forward.listener {
        case .tcp(let host, let port):
            if port < 0 || (port == 0 && !kind.isRemote) { return false }
            if let host, host.utf8.count >= longestHost { return false }
        case .unix(let path):
            if path.utf8.count >= longestPath { return false }
        }
        switch forward.destination {
        case .tcp(let host, let port):
            return port > 0 && host.utf8.count < longestHost
        case .unix(let path):
            return path.utf8.count < longestPath
        case .socks:
            return kind.isDynamic
        }
    }

    private struct Field {
        var text: Bytes
        var isPath: Bool
    }

    /// Splits at colons; a field in brackets is taken literally, a backslash protects a byte.
    ///
    /// C: `parse_fwd_field`.
    private static func fields(_ text: ArraySlice<UInt8>) -> [Field]? {
        var fields: [Field] = []
        var rest = text
        while !rest.isEmpty {
            if fields.count == 4 { return nil }
            if rest.first == UInt8(ascii: "[") {
                guard let close = rest.firstIndex(of: UInt8(ascii: "]")) else { return nil }
                let body = rest[(rest.startIndex + 1)..<close]
                rest = rest[(close + 1)...]
                if let next = rest.popFirst(), next != UInt8(ascii: ":") { return nil }
                fields.append(
                    Field(text: Array(body), isPath: body.contains(UInt8(ascii: "/")))
                )
                continue
            }
            var field = Field(text: [], isPath: false)
            scan: while let byte = rest.popFirst() {
                switch byte {
                case UInt8(ascii: ":"):
                    break scan
                case UInt8(ascii: "\\"):
                    guard let next = rest.popFirst() else {
                        // A field of nothing but a backslash counts as the end of the text.
                        return field.text.isEmpty && !fields.isEmpty ? fields : nil
                    }
                    field.text.append(next)
                case UInt8(ascii: "/"):
                    field.isPath = true
                    field.text.append(byte)
                default:
                    field.text.append(byte)
                }
            }
            fields.append(field)
        }
        return fields.isEmpty ? nil : fields
    }
}
