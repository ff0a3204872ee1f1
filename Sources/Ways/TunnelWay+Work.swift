internal import AWS
internal import NIOCore

extension TunnelWay {
    /// Takes over the tunnel's end of the socket pair.
    static func localEnd(_ number: Int32) async throws(WayError) -> NIOLoopBound<LocalEnd> {
        do throws(WebSocketError) {
            return try await LocalEnd.open(number)
        } catch {
            throw WayError(error, to: "tunnel")
        }
    }

    /// Finds out who asks AWS.
    static func asked(
        _ caller: @Sendable () async throws(ServiceError) -> any ServiceCaller
    ) async throws(WayError) -> any ServiceCaller {
        do throws(ServiceError) {
            return try await caller()
        } catch {
            throw WayError(error)
        }
    }
}
