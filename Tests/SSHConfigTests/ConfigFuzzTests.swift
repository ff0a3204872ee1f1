import Testing

@testable import SSHConfig

/// Text nobody would write: whatever it is, reading ends, and what is wrong has a place.
struct ConfigFuzzTests {
    /// Where the seeds of the runs begin; a failure names its own.
    static let firstSeed: UInt64 = 20_260_402

    @Test("No file traps, and every error ends with the count of bad lines or a fatal word")
    func files() {
        for seed in Self.firstSeed..<(Self.firstSeed + 1_500) {
            var random = Random(seed: seed)
            let text = random.text()
            let outcome = Reading(files: ["/config": text, "/inc": random.text()]).outcome()
            guard outcome.options == nil else { continue }
            #expect(!outcome.said.isEmpty, "seed \(seed)")
            let placed = outcome.said.contains { line in
                line.hasPrefix("/config") || line.hasPrefix("/inc") || Self.fatal.contains(line)
                    || Self.fatalStarts.contains { line.hasPrefix($0) }
            }
            #expect(placed, "seed \(seed): \(outcome.said)")
        }
    }

    @Test("No -o traps, and each bad one is told")
    func options() {
        for seed in Self.firstSeed..<(Self.firstSeed + 3_000) {
            var random = Random(seed: seed)
            let option = random.line()
            let outcome = Reading(files: ["/config": ""]).outcome(options: [option])
            #expect(outcome.options != nil || !outcome.said.isEmpty, "seed \(seed): \(option)")
        }
    }

    @Test("What -G prints of a plain file means the same again")
    func roundTrip() throws {
        for seed in Self.firstSeed..<(Self.firstSeed + 40) {
            var random = Random(seed: seed)
            let text = random.plainText()
            guard let options = Reading.file(text).options else { continue }
            let dump = String(decoding: ConfigurationDump.text(options), as: UTF8.self)
            let lines = dump.split(separator: "\n").filter { !$0.hasPrefix("host ") }
            let again = Reading.file(lines.joined(separator: "\n")).options
            let second = again.map {
                String(decoding: ConfigurationDump.text($0), as: UTF8.self)
            }
            #expect(second == dump, "seed \(seed): \(text)")
        }
    }

    private static let fatal: Set = [
        "Too many recursive configuration includes", "Invalid number of ConnectionAttempts",
        "percent_expand: failed", "percent_dollar_expand: failed",
        "invalid environment variable expansion",
        "Cannot fork into background without a command to execute.",
        "ProxyCommand=- and ProxyUseFDPass are incompatible",
        "remote username contains invalid characters", "hostname contains invalid characters",
        "dump_client_config: expand HostKeyAlgorithms: invalid argument",
    ]
    private static let fatalStarts = [
        "fill_default_options: ", "jumphost loop via ", "tilde_expand: ",
        "ec2sh: Could not resolve",
    ]

    private struct Random {
        var seed: UInt64

        mutating func below(_ bound: Int) -> Int {
            seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((seed >> 33) % UInt64(bound))
        }

        mutating func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

        mutating func text() -> String {
            (0..<below(12)).map { _ in line() }.joined(separator: pick(["\n", "\r\n", "\n\n"]))
        }

        mutating func line() -> String {
            let name = pick(KeywordTable.rows).name
            let pieces = [
                "\"", "'", "\\", "#", "=", " ", "\t", "%", "%h", "%%", "${", "${A}", "}", "~", "!",
                "*",
                "?", ",", ":", "[", "]", "/", "-", "+", "^", "@", "0", "1", "22",
                "99999999999999999999",
                "none", "any", "yes", "all", "host", "exec", "final", "\u{0}", "\u{7f}", "é", "🙂",
                "\r",
                "\u{c}", "a", ".", "/inc", "k", "m", "ssh://", "aes*",
            ]
            let value = (0..<below(9)).map { _ in pick(pieces) }.joined()
            return pick([name, name, name, "Host", "Match", ""]) + pick([" ", "=", "", "\t"])
                + value
        }

        mutating func plainText() -> String {
            let lines = [
                "Port \(below(60_000) + 1)", "User u\(below(9))", "BatchMode yes",
                "Compression yes",
                "ConnectTimeout \(below(500))", "Ciphers +aes*", "MACs -umac*", "IPQoS ef cs1",
                "ServerAliveInterval \(below(99))m", "StrictHostKeyChecking accept-new",
                "IdentityFile /k\(below(5))", "CertificateFile /c", "SendEnv LANG LC_*",
                "SetEnv A=b",
                "ProxyJump a,b:\(below(99) + 1)", "ControlPersist 5m", "RekeyLimit 1G 1h",
                "CanonicalDomains a.org b.c", "AddKeysToAgent ask", "Tunnel ethernet",
                "LogLevel ERROR",
                "TunnelDevice 1:2", "PermitRemoteOpen a:1 b:2", "RequestTTY force",
                "SessionType none",
                "ForwardAgent yes", "EscapeChar none", "PubkeyAuthentication host-bound",
                "LocalForward 8080 h:80", "EC2Users a,b", "ResumeTimeout 2h", "EC2Ways ssm",
                "FingerprintHash md5", "AddressFamily inet6", "UpdateHostKeys ask",
            ]
            return (0..<below(12)).map { _ in pick(lines) }.joined(separator: "\n")
        }
    }
}
