import Foundation
import TestSupport

/// Two programs over one connection: the one that has it, and the one that shares it.
struct MuxPair: CustomStringConvertible, Sendable {
    static let openSSH = "/usr/bin/ssh"

    /// Whether the master is OpenSSH's.
    var masterIsOpenSSH = false
    /// Whether the client is OpenSSH's.
    var clientIsOpenSSH = false

    static let all = [
        MuxPair(), MuxPair(masterIsOpenSSH: true), MuxPair(clientIsOpenSSH: true),
    ]
    static let ofOurMaster = [MuxPair(), MuxPair(clientIsOpenSSH: true)]

    var description: String {
        "\(clientIsOpenSSH ? "ssh" : "ec2sh") of \(masterIsOpenSSH ? "ssh" : "ec2sh")"
    }

    func master(_ place: Workplace) -> String { masterIsOpenSSH ? MuxPair.openSSH : place.ssh }
    func client(_ place: Workplace) -> String { clientIsOpenSSH ? MuxPair.openSSH : place.ssh }
}

extension Workplace {
    /// Runs a script with a master in the background, which ends with it.
    ///
    /// `$M` and `$C` are the two programs, `$S` is the socket, and `c` runs a client.
    func share(
        _ pair: MuxPair,
        options: String = "",
        _ script: String,
        environment: [String: String] = [:],
        limit: Duration = .seconds(60)
    ) async throws -> ProgramRun {
        try await shell(
            """
            M=\(pair.master(self)); C=\(pair.client(self)); S=$PWD/ctl; H=alice@plain.lab
            c() { "$C" -S "$S" "$H" "$@"; }
            "$M" -M -S "$S" -fN \(options) "$H" 2>>master.log
            trap '"$M" -S "$S" -O exit "$H" 2>/dev/null || true' EXIT
            \(script)
            """,
            environment: environment,
            limit: limit
        )
    }
}
