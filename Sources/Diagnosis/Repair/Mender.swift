internal import AWS
internal import Client
internal import Faults
internal import Posix

/// Makes changes and takes them back.
struct Mender {
    let context: Context
    let cloud: Cloud

    /// Makes a change; one that is there already is made.
    /// - Parameter change: what to do.
    /// - Throws: ``AWS/ServiceError``; ``Posix/SystemError``.
    func make(_ change: Change) throws {
        switch change {
        case .mode(let path, _, let new):
            try setMode(path, new)
        case .start(let instance, let region):
            try ask(region) { caller throws(ServiceError) in
                try await caller.startInstance(instance)
                try await Mender.waitUntilRunning(instance, caller)
            }
        case .allow(let range, let port, let group, let region):
            try ask(region) { caller throws(ServiceError) in
                do throws(ServiceError) {
                    try await caller.authorize(group, range: range, port: port)
                } catch {
                    guard error.code == "InvalidPermission.Duplicate" else { throw error }
                }
            }
        }
    }

    /// Takes a change back; one that is gone already is taken back.
    /// - Parameter change: what was done.
    /// - Throws: ``AWS/ServiceError``; ``Posix/SystemError``.
    func undo(_ change: Change) throws {
        switch change {
        case .mode(let path, let old, let new):
            // Somebody who has set it otherwise since then has meant it.
            if try fileFacts(path: path).mode == new { try setMode(path, old) }
        case .start(let instance, let region):
            try ask(region) { caller throws(ServiceError) in
                try await caller.stopInstance(instance)
            }
        case .allow(let range, let port, let group, let region):
            try ask(region) { caller throws(ServiceError) in
                do throws(ServiceError) {
                    try await caller.revoke(group, range: range, port: port)
                } catch {
                    guard error.kind == .notFound else { throw error }
                }
            }
        }
    }

    private func setMode(_ path: String, _ mode: UInt32) throws(SystemError) {
        try setPermissions(path: path, mode)
    }

    private func ask(
        _ region: String,
        _ work: @escaping @Sendable (any ServiceCaller) async throws(ServiceError) -> Void
    ) throws {
        let caller = cloud.caller(in: region)
        let result = try context.poller.wait { () -> Result<Void, ServiceError> in
            do throws(ServiceError) {
                return .success(try await work(try await caller()))
            } catch {
                return .failure(error)
            }
        }
        try result?.get()
    }

    /// A start takes some ten seconds; sshd, which a login waits for, a minute more.
    private static func waitUntilRunning(
        _ instance: String,
        _ caller: any ServiceCaller
    ) async throws(ServiceError) {
        for _ in 0..<60 {
            if try await caller.instanceStatus(of: instance)?.state == .running { return }
            try? await Task.sleep(for: .seconds(2))
        }
    }
}
