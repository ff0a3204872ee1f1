import Foundation

/// The servers and proxies of `Tests/Lab/webservers.py`; all tests of a process share them.
public struct WebServers: Sendable {
    /// Those of this process.
    public static let shared = Result { try WebServers() }

    private let ports: [String: Int]
    private let helper: LabHelper
    /// The certificate that the ones with TLS have.
    public let certificates: String

    private init() throws {
        let helper = try LabHelper("webservers.py")
        var line = ""
        helper.readAnswers {
            line = $0
            return false
        }
        let table = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        guard let table else { throw LabError.helper("webservers.py said \(line)") }
        self.helper = helper
        ports = table.compactMapValues { $0 as? Int }
        certificates = table["ca"] as? String ?? ""
    }

    /// The port of one of them; 0 for none.
    public func port(_ name: String) -> Int { ports[name] ?? 0 }
}
