/// Where a client's credentials come from.
enum CredentialSource: Sendable {
    /// Calls that are not signed.
    case nobody
    /// These and no others.
    case fixed(Credentials)
    /// Found when first asked for, renewed when near their end.
    case store(CredentialStore)

    func credentials() async throws(ServiceError) -> Credentials? {
        switch self {
        case .nobody: nil
        case .fixed(let credentials): credentials
        case .store(let store): try await store.credentials()
        }
    }

    /// - Returns: other credentials than these, if there are any.
    func renewed(after old: Credentials) async -> Credentials? {
        guard case .store(let store) = self else { return nil }
        return await store.renewed(after: old)
    }
}

/// Keeps credentials as long as they are good; however many ask at once, they are found once.
actor CredentialStore {
    typealias Load = @Sendable () async throws(ServiceError) -> Credentials

    private let load: Load
    private let clock: @Sendable () -> Timestamp
    private var current: Credentials?
    private var loading: Task<Result<Credentials, ServiceError>, Never>?

    init(clock: @escaping @Sendable () -> Timestamp, _ load: @escaping Load) {
        self.clock = clock
        self.load = load
    }

    func credentials() async throws(ServiceError) -> Credentials {
        if let current, left(current) > margin { return current }
        switch await loaded() {
        case .success(let credentials):
            return credentials
        case .failure(let error):
            if let current, left(current) > 0 { return current }
            throw error
        }
    }

    func renewed(after old: Credentials) async -> Credentials? {
        if let current, current != old { return current }
        guard case .success(let credentials) = await loaded() else { return nil }
        return credentials == old ? nil : credentials
    }

    private func loaded() async -> Result<Credentials, ServiceError> {
        if let loading { return await loading.value }
        let load = load
        let task = Task<Result<Credentials, ServiceError>, Never> {
            do throws(ServiceError) {
                return .success(try await load())
            } catch {
                return .failure(error)
            }
        }
        loading = task
        let result = await task.value
        loading = nil
        if case .success(let credentials) = result { current = credentials }
        return result
    }

    private func left(_ credentials: Credentials) -> Int64 {
        credentials.expiration.map { $0.seconds - clock().seconds } ?? .max
    }
}

/// Seconds before their end at which credentials are renewed, as botocore must.
private let margin: Int64 = 300
