internal import AWS
internal import Faults
internal import SessionManager
internal import Synchronization

/// Tells what a session's tunnel tells: to the loop that it is open, to KMS that a key is wanted.
final class SessionObserver: Sendable {
    typealias Key = Result<DataKey, DataKeyRefusal>

    private let parameters: SystemsManagerParameters
    private let session: String
    private let control: TunnelControl
    private let caller: any ServiceCaller
    private let taker = Mutex<(@Sendable (Key) -> Void)?>(nil)

    init(
        _ parameters: SystemsManagerParameters,
        _ session: String,
        _ control: TunnelControl,
        _ caller: any ServiceCaller
    ) {
        self.parameters = parameters
        self.session = session
        self.control = control
        self.caller = caller
    }

    /// Names who gets the key.
    func onKey(_ action: @escaping @Sendable (Key) -> Void) { taker.withLock { $0 = action } }

    /// The agent is there.
    func isOpened(_ version: String, _ message: String) {
        control.say("The agent on the instance is there (\(shown(version, 40))).", .debug2)
        if !message.isEmpty { control.say("Systems Manager: \(shown(message, 300))") }
        // A shell is there when its agent is; what it says first is already for the user.
        if case .server = parameters.target, parameters.awaitsGreeting { return }
        control.tell(.opened)
    }

    /// The first bytes have come.
    func isGreeted() { control.tell(.opened) }

    /// The agent wants the stream encrypted.
    func asksForKey(_ request: DataKeyRequest) {
        control.say("The session is encrypted with \(shown(request.keyID, 200)).")
        Task(executorPreference: TunnelExecutor.shared) { [self] in
            let key = await makeKey(request)
            taker.withLock(\.self)?(key)
        }
    }

    private func makeKey(_ request: DataKeyRequest) async -> Key {
        do throws(ServiceError) {
            let made = try await caller.generateDataKey(
                with: request.keyID,
                length: DataKey.length,
                context: request.context(session: session, target: parameters.instance)
            )
            guard let key = DataKey(plain: made.plain, sealed: made.sealed) else {
                return .failure(DataKeyRefusal("KMS has made a key of another length"))
            }
            return .success(key)
        } catch {
            return .failure(DataKeyRefusal(error.summary))
        }
    }

    private func shown(_ text: String, _ most: Int) -> String { visible(text.utf8.prefix(most)) }
}
