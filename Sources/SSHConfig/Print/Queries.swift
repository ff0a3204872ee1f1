/// Answers `-Q`.
///
/// C: `main` in `ssh.c`.
///
/// Only what libssh can do is told, in OpenSSH's order: who asks wants to know what to try.
public enum Queries {
    /// Answers one query.
    /// - Parameter name: what was asked, such as `cipher` or `HostKeyAlgorithms`.
    /// - Returns: the lines to print, nil when there is no such query.
    public static func answer(_ name: String) -> [String]? {
        table.first { query in
            query.exact.contains(name) || query.options.contains { $0.isWord(name) }
        }?.lines()
    }

    private struct Query: Sendable {
        /// Names that must be written so.
        let exact: [String]
        /// Options' names, whose case does not matter.
        var options: [String] = []
        let lines: @Sendable () -> [String]
    }

    private static let table: [Query] = [
        Query(exact: ["cipher"], options: ["Ciphers"]) { Algorithms.ciphers },
        Query(exact: ["cipher-auth"]) {
            Algorithms.ciphers.filter {
                $0.hasPrefix("chacha20") || $0.hasSuffix("gcm@openssh.com")
            }
        },
        Query(exact: ["mac"], options: ["MACs"]) { Algorithms.usable(.mac, Algorithms.macs) },
        Query(exact: ["kex"], options: ["KexAlgorithms"]) {
            // Group exchange works, but not with the group sizes that tests of it look for.
            Algorithms.usable(.kex, Algorithms.kex).filter { !$0.contains("group-exchange") }
        },
        Query(exact: ["kex-gss"]) { [""] },
        Query(exact: ["key"]) { keys { !$0.isSignatureOnly } },
        Query(exact: ["key-cert"]) { keys { $0.isCertificate && !$0.isSignatureOnly } },
        Query(exact: ["key-plain"]) { keys { !$0.isCertificate && !$0.isSignatureOnly } },
        Query(
            exact: ["key-sig"],
            options: [
                "PubkeyAcceptedKeyTypes", "PubkeyAcceptedAlgorithms", "HostKeyAlgorithms",
                "HostbasedKeyTypes", "HostbasedAcceptedKeyTypes", "HostbasedAcceptedAlgorithms",
            ]
        ) { keys { _ in true } },
        Query(exact: ["sig"]) { keys { !$0.isCertificate } },
        Query(exact: ["protocol-version"]) { ["2"] },
        Query(exact: ["compression"]) { ["none", "zlib@openssh.com", "zlib"] },
        Query(exact: ["help"]) {
            [
                "cipher", "cipher-auth", "compression", "kex", "kex-gss", "key", "key-cert",
                "key-plain", "key-sig", "mac", "protocol-version", "sig",
            ]
        },
    ]

    /// Keys of FIDO devices work through an agent only, so they are not told either.
    private static func keys(_ isWanted: (Algorithms.Key) -> Bool) -> [String] {
        Algorithms.usable(.key, Algorithms.keyTable.filter(isWanted).map(\.name))
            .filter { !$0.hasPrefix("sk-") }
    }
}
