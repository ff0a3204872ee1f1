internal import Faults
internal import SSHConfig

extension Options {
    /// The layers all of whose messages LogVerbose asks for, by the files of OpenSSH's that do the
    /// same.
    var openLayers: Set<Layer> {
        if logVerbose.isEmpty { return [] }
        return Set(
            Options.filesOfLayers.filter { row in row.files.contains(where: logsAll(ofFile:)) }
                .map(\.layer)
        )
    }

    private static let filesOfLayers: [(layer: Layer, files: [String])] = [
        (.usage, ["ssh.c"]),
        (.configuration, ["readconf.c", "ssh.c"]),
        (.local, ["misc.c", "sshtty.c", "readpass.c"]),
        (.name, ["ssh.c", "dns.c"]),
        (.network, ["sshconnect.c"]),
        (.transport, ["packet.c", "kex.c", "cipher.c", "mac.c", "dispatch.c"]),
        (.trust, ["sshconnect.c", "hostfile.c", "dns.c"]),
        (.identity, ["authfile.c", "authfd.c", "sshkey.c", "ssh-pkcs11.c", "ssh-sk.c"]),
        (.auth, ["sshconnect2.c"]),
        (.channel, ["channels.c", "clientloop.c", "nchan.c", "mux.c"]),
        (.link, ["clientloop.c", "packet.c"]),
    ]
}
