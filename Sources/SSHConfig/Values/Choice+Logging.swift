public import Faults

/// FingerprintHash.
public enum FingerprintHash: String, Choice {
    /// MD5, shown as colon-separated hex.
    case md5 = "MD5"
    /// SHA-1.
    case sha1 = "SHA1"
    /// SHA-256, shown in base64; the default.
    case sha256 = "SHA256"
    /// SHA-384.
    case sha384 = "SHA384"
    /// SHA-512.
    case sha512 = "SHA512"

    /// The names of `ssh_digest_alg_by_name`.
    public static let words: [(word: String, value: FingerprintHash)] = [
        ("MD5", .md5), ("SHA1", .sha1), ("SHA256", .sha256), ("SHA384", .sha384),
        ("SHA512", .sha512),
    ]
}

extension Trace.Level: Choice {
    /// The names of LogLevel, C: `log_levels` in `log.c`.
    public static let words: [(word: String, value: Trace.Level)] = [
        ("SILENT", .quiet), ("QUIET", .quiet), ("FATAL", .fatal), ("ERROR", .error),
        ("INFO", .info), ("VERBOSE", .verbose), ("DEBUG", .debug1), ("DEBUG1", .debug1),
        ("DEBUG2", .debug2), ("DEBUG3", .debug3),
    ]
}

/// SyslogFacility, for `-y`.
public enum SyslogFacility: String, Choice {
    /// System daemons.
    case daemon = "DAEMON"
    /// User programs; the default.
    case user = "USER"
    /// Security.
    case auth = "AUTH"
    /// Security, private.
    case authpriv = "AUTHPRIV"
    /// For local use.
    case local0 = "LOCAL0"
    /// For local use.
    case local1 = "LOCAL1"
    /// For local use.
    case local2 = "LOCAL2"
    /// For local use.
    case local3 = "LOCAL3"
    /// For local use.
    case local4 = "LOCAL4"
    /// For local use.
    case local5 = "LOCAL5"
    /// For local use.
    case local6 = "LOCAL6"
    /// For local use.
    case local7 = "LOCAL7"

    /// C: `log_facilities` in `log.c`.
    public static let words: [(word: String, value: SyslogFacility)] = [
        ("DAEMON", .daemon), ("USER", .user), ("AUTH", .auth), ("AUTHPRIV", .authpriv),
        ("LOCAL0", .local0), ("LOCAL1", .local1), ("LOCAL2", .local2), ("LOCAL3", .local3),
        ("LOCAL4", .local4), ("LOCAL5", .local5), ("LOCAL6", .local6), ("LOCAL7", .local7),
    ]
}
