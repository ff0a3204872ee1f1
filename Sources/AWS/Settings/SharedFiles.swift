internal import Faults
internal import Posix

/// What `~/.aws/config` and `~/.aws/credentials` say, as botocore puts them together.
struct SharedFiles: Sendable {
    /// What both files say about profiles; the credentials file wins name by name.
    private(set) var profiles: [String: INIFile.Section] = [:]
    /// Profiles of `config` alone.
    private(set) var configured: [String: INIFile.Section] = [:]
    /// Sections of `credentials` alone.
    private(set) var credentials: [String: INIFile.Section] = [:]
    /// What `[sso-session NAME]` holds.
    private(set) var singleSignOns: [String: INIFile.Section] = [:]
    /// What `[services NAME]` holds.
    private(set) var services: [String: INIFile.Section] = [:]

    /// Puts the two files together.
    /// - Parameters:
    ///   - config: nil when there is no such file.
    ///   - credentials: nil when there is no such file.
    init(config: INIFile?, credentials: INIFile?) {
        for (name, values) in config?.sections ?? [] {
            if name == "default" {
                configured[name] = values
            } else if name.hasPrefix("profile") {
                if let name = secondWord(name) { configured[name] = values }
            } else if name.hasPrefix("sso-session") {
                if let name = secondWord(name) { singleSignOns[name] = values }
            } else if name.hasPrefix("services") {
                if let name = secondWord(name) { services[name] = values }
            }
        }
        for (name, values) in credentials?.sections ?? [] { self.credentials[name] = values }
        profiles = configured.merging(self.credentials) { $0.merging($1) { $1 } }
    }

    /// Reads the two files.
    /// - Parameter paths: where they are.
    /// - Throws: ``ServiceError`` for a file that is there and cannot be read, or is wrong.
    init(_ paths: SharedPaths) throws(ServiceError) {
        self.init(
            config: try SharedFiles.read(paths.config),
            credentials: try SharedFiles.read(paths.credentials)
        )
    }

    private static func read(_ path: String) throws(ServiceError) -> INIFile? {
        let bytes: [UInt8]
        do throws(SystemError) {
            guard try fileFacts(path: path).kind != .directory else { return nil }
            bytes = try readFile(path, limit: 4 << 20).bytes
        } catch {
            if error.kind == .missing { return nil }
            throw ServiceError(.configuration, error.summary)
        }
        do throws(INIError) {
            return try INIFile(bytes)
        } catch {
            let place = error.line == 0 ? path : "\(path) line \(error.line)"
            throw ServiceError(
                .configuration,
                "\(place): \(visible(error.reason.utf8))",
                hint: .advice("mend \(path): no tool of AWS's can read it as it is")
            )
        }
    }
}

/// Where AWS's shared files and caches are.
struct SharedPaths: Sendable, Equatable {
    let config: String
    let credentials: String
    /// The CLI's keys of roles.
    let roleCache: String
    /// Tokens of single sign-on.
    let tokenCache: String
    /// What `aws login` left.
    let loginCache: String

    /// - Parameters:
    ///   - environment: may name other files.
    ///   - home: the home directory.
    init(_ environment: [String: String], home: String) {
        func path(_ variable: String?, _ usual: String) -> String {
            let path = variable.flatMap { environment[$0] } ?? usual
            return expand(path, environment, home: home)
        }
        config = path("AWS_CONFIG_FILE", "~/.aws/config")
        credentials = path("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials")
        roleCache = path(nil, "~/.aws/cli/cache")
        tokenCache = path(nil, "~/.aws/sso/cache")
        loginCache = path("AWS_LOGIN_CACHE_DIRECTORY", "~/.aws/login/cache")
    }
}

/// As Python's `expandvars` and `expanduser`: `$NAME`, `${NAME}` where set, then `~`.
func expand(_ path: String, _ environment: [String: String], home: String) -> String {
    var expanded = ""
    var rest = Substring(path)
    while let character = rest.popFirst() {
        guard character == "$" else {
            expanded.append(character)
            continue
        }
        let isBraced = rest.hasPrefix("{")
        let name = rest.dropFirst(isBraced ? 1 : 0).prefix {
            isBraced ? $0 != "}" : $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber)
        }
        let isClosed = !isBraced || rest.contains("}")
        if let value = environment[String(name)], isClosed {
            expanded += value
            rest = rest[name.endIndex...].dropFirst(isBraced ? 1 : 0)
        } else {
            expanded.append(character)
        }
    }
    if expanded == "~" { return home }
    return expanded.hasPrefix("~/") ? home + expanded.dropFirst() : expanded
}

/// The name in `profile NAME`, which may be in quotes; nil for anything else.
private func secondWord(_ title: String) -> String? {
    guard let words = shellWords(title), words.count == 2 else { return nil }
    return words[1]
}
