internal import SSH
internal import SSHConfig

/// OpenSSH's words about host keys, which people and tools read (sshconnect.c).
enum HostKeyWords {
    static func revoked(_ found: HostKeyCase) -> [String] {
        [
            rule,
            "@       WARNING: REVOKED HOST KEY DETECTED!               @",
            rule,
            "The \(found.key.shortName) host key for \(found.name) is marked as revoked.",
            "This could mean that a stolen key is being used to",
            "impersonate this host.",
        ]
    }

    static func revokedAndStrict(_ found: HostKeyCase) -> String {
        "\(found.key.shortName) host key for \(found.name.prefix(bytes: 200)) was revoked and "
            + "you have requested strict checking."
    }

    static func changed(
        _ found: HostKeyCase,
        _ entry: KnownHostsEntry,
        _ policy: HostKeyPolicy,
        _ checksAddress: Bool
    ) -> [String] {
        let files = policy.userFiles + policy.systemFiles
        let add = files.first.map {
            "Add correct host key in \($0.prefix(bytes: 100)) to get rid of this message."
        }
        return (checksAddress ? spoofing(found, entry) : [])
            + hasChanged(found.key, policy) + (add.map { [$0] } ?? []) + [
                "Offending \(entry.key.shortName) key in \(entry.path):\(entry.line)",
                "  remove with:",
                "  ssh-keygen -f \"\(entry.path)\" -R \"\(found.name)\"",
            ]
    }

    /// A record of the name says otherwise (VerifyHostKeyDNS).
    static func differsFromDNS(_ key: HostKey, _ policy: HostKeyPolicy) -> [String] {
        hasChanged(key, policy) + [
            "Update the SSHFP RR in DNS with the new host key to get rid of this message."
        ]
    }

    private static func hasChanged(_ key: HostKey, _ policy: HostKeyPolicy) -> [String] {
        [
            rule,
            "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @",
            rule,
            "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!",
            "Someone could be eavesdropping on you right now (man-in-the-middle attack)!",
            "It is also possible that a host key has just been changed.",
            "The fingerprint for the \(key.shortName) key sent by the remote host is\n"
                + "\(key.fingerprint(policy.options.fingerprintHash)).",
            "Please contact your system administrator.",
        ]
    }

    static func changedAndStrict(_ found: HostKeyCase) -> String {
        "Host key for \(found.name.prefix(bytes: 200)) has changed and you have requested strict "
            + "checking."
    }

    /// libssh takes no certificates from servers.
    static func authorityInVain(_ found: HostKeyCase) -> String {
        "ec2sh: a certificate authority is known for \(found.name), but libssh cannot take a "
            + "host's certificate: its key itself is checked"
    }

    static func unknownAndStrict(_ found: HostKeyCase) -> String {
        "No \(found.key.shortName) host key is known for \(found.name.prefix(bytes: 200)) and you "
            + "have requested strict checking."
    }

    /// The name's key has changed while the address's has not, or differently.
    private static func spoofing(_ found: HostKeyCase, _ entry: KnownHostsEntry) -> [String] {
        let state: String
        var offending: KnownHostsEntry?
        switch found.atAddress {
        case nil: return []
        case .changed(let other)?:
            if other.key == entry.key { return [] }
            state = "has a different value"
            offending = other
        case .match(let other)?:
            state = "is unchanged"
            offending = other
        case .unknown?: state = "is unknown"
        case .revoked?: state = "has a different value"
        }
        let lines = [
            rule,
            "@       WARNING: POSSIBLE DNS SPOOFING DETECTED!          @",
            rule,
            "The \(found.key.shortName) host key for \(found.name) has changed,",
            "and the key for the corresponding IP address \(found.address)",
            "\(state). This could either mean that",
            "DNS SPOOFING is happening or the IP address for the host",
            "and its host key have changed at the same time.",
        ]
        guard let offending else { return lines }
        return lines + [
            "Offending key for IP in \(offending.path):\(offending.line)",
            "  remove with:",
            "  ssh-keygen -f \"\(offending.path)\" -R \"\(found.address)\"",
        ]
    }

    static func addressDiffers(_ found: HostKeyCase, _ other: KnownHostsEntry) -> String {
        let words =
            "Warning: the \(found.key.shortName) host key for '\(found.name.prefix(bytes: 200))' "
            + "differs from the key for the IP address '\(found.address.prefix(bytes: 128))'\n"
            + "Offending key for IP in \(other.path):\(other.line)"
        guard case .match(let entry) = found.host else { return words }
        return words + "\nMatching host key in \(entry.path):\(entry.line)"
    }

    /// The question whether to trust a new key.
    ///
    /// OpenSSH has one more form, for hosts with keys of other types alone; since 8.5 such a host
    /// counts as changed and the form is never shown.
    static func question(
        _ found: HostKeyCase,
        _ policy: HostKeyPolicy,
        otherNames: [String]
    ) -> String {
        let fingerprint = found.key.fingerprint(policy.options.fingerprintHash)
        var lines = [
            "The authenticity of host '\(found.name.prefix(bytes: 200)) (\(found.address))' "
                + "can't be established.",
            "\(found.key.shortName) key fingerprint is \(fingerprint).",
        ]
        if policy.options.visualHostKey {
            lines.append(found.key.randomart(policy.options.fingerprintHash))
        }
        if let matches = policy.matchesDNS {
            lines.append(
                "\(matches ? "Matching" : "No matching") host key fingerprint found in DNS."
            )
        }
        if otherNames.isEmpty {
            lines.append("This key is not known by any other names.")
        } else {
            lines.append("This host key is known by the following other names/addresses:")
            lines += otherNames.prefix(mostOtherNames).map { "    \($0)" }
            let omitted = otherNames.count - mostOtherNames
            if omitted > 0 { lines.append("    (\(omitted) additional names omitted)") }
        }
        lines.append("Are you sure you want to continue connecting (yes/no/[fingerprint])? ")
        return lines.joined(separator: "\n")
    }

    static func picture(_ key: HostKey, _ hash: FingerprintHash) -> String {
        "Host key fingerprint is \(key.fingerprint(hash))\n\(key.randomart(hash))"
    }

    /// What is said about each thing that is not done with a server that cannot be trusted.
    static let disabled: [(HostKeyPolicy.Exposed, String)] = [
        (.password, "Password authentication is disabled to avoid man-in-the-middle attacks."),
        (
            .keyboardInteractive,
            "Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks."
        ),
        (.agent, "Agent forwarding is disabled to avoid man-in-the-middle attacks."),
        (.x11, "X11 forwarding is disabled to avoid man-in-the-middle attacks."),
        (.ports, "Port forwarding is disabled to avoid man-in-the-middle attacks."),
        (.tunnel, "Tunnel forwarding is disabled to avoid man-in-the-middle attacks."),
        (.keyUpdates, "UpdateHostkeys is disabled because the host key is not trusted."),
    ]

    private static let rule = "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@"
    /// `MAX_OTHER_NAMES` in sshconnect.c.
    private static let mostOtherNames = 8
}
