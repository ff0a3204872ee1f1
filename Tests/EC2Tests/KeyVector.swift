import Foundation

/// A public key that ssh-keygen has made, with the fingerprints it gives.
struct KeyVector: Sendable {
    let algorithm: String
    let base64: String
    let sha256: String
    /// Without `MD5:`.
    let md5: String

    var blob: [UInt8] { Array(Data(base64Encoded: base64) ?? Data()) }
    var line: String { "\(algorithm) \(base64) root@ip-10-0-0-7" }
}

extension KeyVector {
    static let hostEd25519 = KeyVector(
        algorithm: "ssh-ed25519",
        base64: "AAAAC3NzaC1lZDI1NTE5AAAAIB3jZbiTl4EXZ2Twp+BhaPuOLxk4xSAhEfwSZ3suX9k0",
        sha256: "SHA256:hbACe1xojaflU7J9Ohc9AlnTXS+ce+8GyttHU0Wl4Tk",
        md5: "a0:09:46:c4:b8:6e:b0:d2:78:6e:95:35:6b:39:7e:21"
    )
    static let otherEd25519 = KeyVector(
        algorithm: "ssh-ed25519",
        base64: "AAAAC3NzaC1lZDI1NTE5AAAAIHzsi+WEUvrnwQciUrYurgIhSVqMy8kImWkNhLdoVbxd",
        sha256: "SHA256:W56gnu0sjyUmxbzLKasW3UqzJqWBd0E5Wp2S2pQJEX4",
        md5: "12:2f:f6:01:8e:cd:27:63:2d:0c:00:d0:b7:1b:43:10"
    )
    static let hostRSA = KeyVector(
        algorithm: "ssh-rsa",
        base64: "AAAAB3NzaC1yc2EAAAADAQABAAABAQCum6QIHDpNGz30QDwpCkMjFpMcPYtFxajvXhjvq5Z9elPj"
            + "v4OkUjTDd+tWQyELhmHUtknhhuH1MirHWqU8fg91PM7exR09+S7PvuVwy/OAHMxHPwHpcW4KT09Y"
            + "7osc9rPL5Ana8795HGShVl/JL+5U6v9WH7nWUVDnuzH40bS2mo9R+1G/sq1yDtjhwNGdbYGja03K"
            + "qBFEJJckXjDJx9Wcr3WLyILRS/U0Clx5HTjb4x5QbSHlpFfGIvBQGeF64RhX0J1s9qnoWSezc14r"
            + "xm2R3+Uk72JghVs4RAdBFg6wpywtLA6ZwO9Ft/p8Ofjefhiym4hIxpzIy1bMDZr67Kqp",
        sha256: "SHA256:jC9CHJLaOWfe4+kVpI36CbYxpZbBcEl8mmM81fvENiI",
        md5: "50:ac:b0:8b:a0:9f:54:34:f6:48:97:f7:54:98:f9:88"
    )
    static let hostECDSA = KeyVector(
        algorithm: "ecdsa-sha2-nistp256",
        base64: "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBK0hdKoqesj/I5WcSrxR0psD"
            + "vZRjXTMetfE+aNcx8E64MzlMpe0OEDHPbOwbEDw6aXlL7xYz4zAmFjts1VWcy/k=",
        sha256: "SHA256:VSkE9teeSgnf/Ena9DpSv1DEhF5OZobk1hPfDl/bJKU",
        md5: "fe:71:29:3c:54:c0:ce:67:89:35:a4:70:ae:f3:8c:7e"
    )
}
