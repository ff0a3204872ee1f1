internal import Posix
internal import SSH

/// A channel that is a connection and no process: what is asked of a session, it refuses.
protocol ConnectionChannel: Channel {}

extension ConnectionChannel {
    var exitStatus: Int? { nil }
    var exitSignal: ExitSignal? { nil }

    func requestPty(
        term: String,
        columns: Int,
        rows: Int,
        modes: [UInt8]
    ) throws(SSHError) -> Attempt<Bool> {
        .done(false)
    }
    func requestX11(
        protocol name: String,
        cookie: String,
        screen: UInt32
    ) throws(SSHError) -> Attempt<Bool> { .done(false) }
    func requestAgent() {}
    func setEnvironment(_ name: String, _ value: String) throws(SSHError) -> Attempt<Bool> {
        .done(false)
    }
    func shell() throws(SSHError) -> Attempt<Bool> { .done(false) }
    func execute(_ command: [UInt8]) throws(SSHError) -> Attempt<Bool> { .done(false) }
    func subsystem(_ name: String) throws(SSHError) -> Attempt<Bool> { .done(false) }
    func changeWindow(columns: Int, rows: Int) {}
    func sendBreak(_ milliseconds: UInt32) {}
    func sendSignal(_ name: String) {}
}
