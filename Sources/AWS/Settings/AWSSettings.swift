internal import Faults

/// What command line, environment and shared files say about AWS: read once, then only asked.
public struct AWSSettings: Sendable {
    /// The profile's name; `default` when nobody named one.
    public let profileName: String
    /// Whether the caller named the profile, which puts the environment's keys aside.
    public let isProfileExplicit: Bool
    /// The region; nil when nobody named one.
    public let region: String?
    /// How AWS is reached.
    public let access: Access
    /// How often a request is sent at most.
    public let attempts: Int
    /// How often one is sent that AWS refuses because it is asked too much.
    public let throttledAttempts: Int
    /// The variables.
    let environment: [String: String]
    let home: String
    let files: SharedFiles
    let paths: SharedPaths

    /// Reads environment and shared files.
    /// - Parameters:
    ///   - environment: the variables.
    ///   - home: the home directory.
    ///   - profile: the profile that the caller named.
    ///   - region: the region that the caller named.
    /// - Throws: ``ServiceError`` for files that cannot be read and a profile that is not there.
    public init(
        environment: [String: String],
        home: String,
        profile: String? = nil,
        region: String? = nil
    ) throws(ServiceError) {
        func value(_ name: String) -> String? {
            environment[name].flatMap { $0.isEmpty ? nil : $0 }
        }
        self.environment = environment
        self.home = home
        paths = SharedPaths(environment, home: home)
        files = try SharedFiles(paths)
        let named = profile ?? value("AWS_PROFILE") ?? value("AWS_DEFAULT_PROFILE")
        profileName = named ?? "default"
        isProfileExplicit = profile != nil
        if let named, named != "default", files.profiles[named] == nil {
            throw ServiceError(
                .configuration,
                "there is no profile \"\(visible(named.utf8))\" in \(paths.config)",
                hint: .run("aws configure list-profiles")
            )
        }
        let section = files.profiles[profileName] ?? [:]
        self.region =
            region ?? value("AWS_REGION") ?? value("AWS_DEFAULT_REGION") ?? section.text("region")
        access = try Access(environment, section, files, home: home)
        let text = value("AWS_MAX_ATTEMPTS") ?? section.text("max_attempts")
        let limit = text.flatMap(Int.init).map { min(max($0, 1), 20) }
        attempts = limit ?? usualAttempts
        throttledAttempts = limit ?? usualThrottledAttempts
    }

    /// The settings of the profile; empty when it is not there.
    var section: INIFile.Section { files.profiles[profileName] ?? [:] }

    /// A variable that is set to something.
    func variable(_ name: String) -> String? {
        environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}

/// The standard retry mode's.
private let usualAttempts = 3
/// Some 50 seconds: when hundreds of logins begin at once their requests find room one after the
/// other, and waiting is better than failing.
private let usualThrottledAttempts = 10

extension Access {
    init(
        _ environment: [String: String],
        _ section: INIFile.Section,
        _ files: SharedFiles,
        home: String
    ) throws(ServiceError) {
        func value(_ variable: String, _ name: String) -> String? {
            environment[variable].flatMap { $0.isEmpty ? nil : $0 } ?? section.text(name)
        }
        func isSet(_ variable: String, _ name: String) -> Bool {
            value(variable, name)?.lowercased() == "true"
        }
        self.init()
        proxies = Proxies(environment)
        let bundle =
            value("AWS_CA_BUNDLE", "ca_bundle")
            ?? environment["REQUESTS_CA_BUNDLE"].flatMap { $0.isEmpty ? nil : $0 }
        trustedCertificates = bundle.map { expand($0, [:], home: home) }
        usesFIPS = isSet("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")
        usesDualStack = isSet("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")
        if isSet("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "ignore_configured_endpoint_urls") {
            return
        }
        let services = try Access.services(section, files)
        for service in Service.allCases {
            let name = service.configurationName
            var own: String?
            if case .nested(let values) = services[name] { own = values["endpoint_url"] }
            let urls = [
                environment["AWS_ENDPOINT_URL_\(name.uppercased())"],
                environment["AWS_ENDPOINT_URL"], own, section.text("endpoint_url"),
            ]
            endpoints[service] = urls.lazy.compactMap { $0 }.first { !$0.isEmpty }
        }
    }

    private static func services(
        _ section: INIFile.Section,
        _ files: SharedFiles
    ) throws(ServiceError) -> INIFile.Section {
        guard let name = section.text("services") else { return [:] }
        guard let services = files.services[name] else {
            throw ServiceError(
                .configuration,
                "the profile names [services \(visible(name.utf8))], and there is none"
            )
        }
        return services
    }
}
