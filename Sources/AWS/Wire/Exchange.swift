internal import Faults
internal import Posix
internal import Synchronization

/// Sends calls and takes answers: endpoint, signature, attempts, and a clock that goes wrong.
///
/// One for all regions and credentials of a run, since what it learns about the clock and its open
/// connections serve all of them.
final class Exchange: Sendable {
    let access: Access
    let wire: any Wire
    private let attempts: Int
    private let throttledAttempts: Int
    private let note: @Sendable (ServiceError) -> Void
    /// The calendar's time as this machine has it.
    private let clock: @Sendable () -> Int64
    /// Waits for so many seconds.
    private let pause: @Sendable (Double) async -> Void
    /// How far AWS's clock is ahead of ours, in seconds.
    private let skew = Mutex<Int64>(0)

    init(
        _ access: Access,
        attempts: Int,
        throttledAttempts: Int? = nil,
        wire: any Wire,
        note: @escaping @Sendable (ServiceError) -> Void = { _ in },
        clock: @escaping @Sendable () -> Int64 = readWallClock,
        pause: @escaping @Sendable (Double) async -> Void = { seconds in
            try? await Task.sleep(for: .seconds(seconds))
        }
    ) {
        self.access = access
        self.attempts = attempts
        self.throttledAttempts = throttledAttempts ?? attempts
        self.note = note
        self.wire = wire
        self.clock = clock
        self.pause = pause
    }

    /// Now, as AWS has it.
    var now: Timestamp { Timestamp(seconds: clock() + skew.withLock { $0 }) }

    /// Makes a call, as often as the standard retry mode does; oftener when AWS is asked too much.
    /// - Parameters:
    ///   - call: what is asked.
    ///   - region: where.
    ///   - credentials: who asks; nil for calls that are not signed.
    /// - Returns: an answer with a status of success.
    /// - Throws: ``ServiceError`` of the last attempt.
    func send(
        _ call: ServiceCall,
        region: String,
        credentials: Credentials?
    ) async throws(ServiceError) -> WireResponse {
        let url = try access.url(of: call.service, in: region)
        var attempt = 0
        var isClockMended = false
        while true {
            attempt += 1
            let failure: Failure
            switch await once(call, url, region: region, credentials) {
            case .success(let response): return response
            case .failure(let error): failure = error
            }
            if !isClockMended, mendClock(after: failure) {
                isClockMended = true
                attempt -= 1
                continue
            }
            let limit = failure.error.kind == .throttled ? throttledAttempts : attempts
            if !failure.isTransient || attempt >= limit || Task.isCancelled {
                throw failure.error
            }
            note(failure.error)
            await pause(backoff(after: attempt))
        }
    }

    /// Up to 1, 2, 4, … 20 seconds.
    private func backoff(after attempt: Int) -> Double {
        Double.random(in: 0...1) * min(Double(1 << min(attempt - 1, 5)), 20)
    }

    private struct Failure: Error {
        var error: ServiceError
        var isTransient: Bool
        /// What the server's clock said.
        var date: Timestamp?
        /// What the time was taken to be when the call was signed.
        var signed: Timestamp?
    }

    private func once(
        _ call: ServiceCall,
        _ url: WebURL,
        region: String,
        _ credentials: Credentials?
    ) async -> Result<WireResponse, Failure> {
        var request = call.request
        request.host = url.authority
        let base = url.path.hasSuffix("/") ? String(url.path.dropLast()) : url.path
        request.path = base + request.path
        let time = now
        if let credentials {
            let name = call.service.signingName
            let signature = Signature(credentials, region: region, service: name)
            request = signature.signed(request, at: time)
        }
        do throws(WireError) {
            let response = try await wire.send(WireRequest(url: url, request: request))
            if (200..<300).contains(response.status) { return .success(response) }
            let error = call.error(in: response)
            let isTransient =
                error.kind == .throttled || [500, 502, 503, 504].contains(response.status)
                || transient.contains(error.code)
            let date = response.header("date").flatMap(Timestamp.init(httpDate:))
            return .failure(
                Failure(error: error, isTransient: isTransient, date: date, signed: time)
            )
        } catch {
            let seen = "\(call.name): \(visible(url.authority.utf8)): \(error.reason)"
            let failed = ServiceError(.transport, seen)
            return .failure(Failure(error: failed, isTransient: error.isTransient))
        }
    }

    /// - Returns: whether the clock was wrong when the call was signed, and is right now; another
    ///   call may have mended it meanwhile.
    private func mendClock(after failure: Failure) -> Bool {
        guard let date = failure.date, let signed = failure.signed,
            skewed.contains(failure.error.code), abs(date.seconds - signed.seconds) >= tolerance
        else { return false }
        skew.withLock { $0 = date.seconds - clock() }
        return true
    }
}

/// What a service is asked, before anybody signs it.
struct ServiceCall: Sendable {
    var service: Service
    /// As in IAM's actions, such as `DescribeInstances`.
    var action: String
    /// Without a host.
    var request: APIRequest

    /// As in IAM: `ec2:DescribeInstances`.
    var name: String { "\(service.signingName):\(action)" }
}

/// Errors that may go away by themselves, besides throttling.
private let transient: Set<String> = ["RequestTimeout", "RequestTimeoutException"]

/// What services say when they do not believe our clock.
private let skewed: Set<String> = [
    "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture", "InvalidSignatureException",
    "SignatureDoesNotMatch", "AuthFailure",
]

/// Seconds that a clock may be off; AWS takes 5 minutes.
private let tolerance: Int64 = 240
