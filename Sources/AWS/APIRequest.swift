/// A request to one of AWS's services, as it goes over the wire.
public struct APIRequest: Sendable, Equatable {
    /// One name with its value.
    public struct Field: Sendable, Equatable {
        /// The name.
        public var name: String
        /// The value.
        public var value: String
        /// Makes a field.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// GET, POST and so on.
    public var method: String
    /// With a port, if it is not the scheme's own.
    public var host: String
    /// As it stands in the request line, from the first slash on.
    public var path: String
    /// Names and values, not encoded.
    public var query: [Field]
    /// Headers, without Host.
    public var headers: [Field]
    /// What is sent.
    public var body: [UInt8]

    /// Makes a request.
    /// - Parameters:
    ///   - method: GET, POST and so on.
    ///   - host: with a port, if it is not the scheme's own.
    ///   - path: as it stands in the request line.
    ///   - query: names and values, not encoded.
    ///   - headers: headers, without Host.
    ///   - body: what is sent.
    public init(
        _ method: String,
        host: String,
        path: String = "/",
        query: [Field] = [],
        headers: [Field] = [],
        body: [UInt8] = []
    ) {
        self.method = method
        self.host = host
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    /// Path and query, as in the request line.
    public var target: String { query.isEmpty ? path : "\(path)?\(encodedQuery)" }

    var encodedQuery: String {
        query.map { "\(percentEncoded($0.name))=\(percentEncoded($0.value))" }
            .joined(separator: "&")
    }
}

/// Encodes all but RFC 3986's unreserved characters, byte by byte, as signatures demand.
/// - Parameters:
///   - text: what is to be encoded.
///   - kept: further characters that stand as they are.
/// - Returns: the text with `%XX` in upper case.
func percentEncoded(_ text: String, keeping kept: String = "") -> String {
    var encoded = ""
    for byte in text.utf8 {
        let scalar = Unicode.Scalar(byte)
        let isLetter = (0x41...0x5a).contains(byte & ~0x20)
        if isLetter || (0x30...0x39).contains(byte) || "-._~".utf8.contains(byte)
            || kept.utf8.contains(byte)
        {
            encoded.unicodeScalars.append(scalar)
        } else {
            encoded += (byte < 16 ? "%0" : "%") + String(byte, radix: 16, uppercase: true)
        }
    }
    return encoded
}
