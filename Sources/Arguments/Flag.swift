/// Names every flag of ssh(1) 9.2 by its letter.
public enum Flag: Character, CaseIterable, Sendable {
    case protocol1 = "1"
    case protocol2 = "2"
    case ipv4 = "4"
    case ipv6 = "6"
    case forwardAgent = "A"
    case noForwardAgent = "a"
    case bindInterface = "B"
    case bindAddress = "b"
    case compression = "C"
    case cipher = "c"
    case dynamicForward = "D"
    case logFile = "E"
    case escapeCharacter = "e"
    case configurationFile = "F"
    case background = "f"
    case printConfiguration = "G"
    case gatewayPorts = "g"
    case pkcs11 = "I"
    case identityFile = "i"
    case jump = "J"
    case gssapi = "K"
    case noDelegation = "k"
    case localForward = "L"
    case loginName = "l"
    case controlMaster = "M"
    case mac = "m"
    case noSession = "N"
    case noStandardInput = "n"
    case controlCommand = "O"
    case option = "o"
    case ignoredPrivilegedPort = "P"
    case port = "p"
    case query = "Q"
    case quiet = "q"
    case remoteForward = "R"
    case controlPath = "S"
    case subsystem = "s"
    case noTerminal = "T"
    case terminal = "t"
    case version = "V"
    case verbose = "v"
    case standardForward = "W"
    case tunnel = "w"
    case forwardX11 = "X"
    case noForwardX11 = "x"
    case trustedX11 = "Y"
    case syslog = "y"
}

extension Flag {
    /// One row of the flag table.
    public struct Row: Sendable {
        /// The flag.
        public let flag: Flag
        /// What its value is called, nil when it takes none.
        public let value: String?
        /// What it does, for help and completions: lower case, no full stop.
        public let meaning: String

        init(_ flag: Flag, _ value: String?, _ meaning: String) {
            self.flag = flag
            self.value = value
            self.meaning = meaning
        }
    }

    /// All flags in the order of ssh(1)'s manual page; C: the getopt string of `ssh.c` `main`.
    public static let table: [Row] = [
        Row(.protocol1, nil, "refused: SSH protocol 1 is gone"),
        Row(.protocol2, nil, "accepted and without meaning"),
        Row(.ipv4, nil, "use IPv4 addresses only"),
        Row(.ipv6, nil, "use IPv6 addresses only"),
        Row(.forwardAgent, nil, "forward the authentication agent"),
        Row(.noForwardAgent, nil, "do not forward the authentication agent"),
        Row(.bindInterface, "bind_interface", "connect from this interface's address"),
        Row(.bindAddress, "bind_address", "connect from this address"),
        Row(.compression, nil, "compress what is sent"),
        Row(.cipher, "cipher_spec", "ciphers in order of preference"),
        Row(.dynamicForward, "[bind_address:]port", "listen here and speak SOCKS"),
        Row(.logFile, "log_file", "append messages to this file"),
        Row(.escapeCharacter, "escape_char", "set the escape character, or none"),
        Row(.configurationFile, "configfile", "read this configuration file only"),
        Row(.background, nil, "go to the background after the login"),
        Row(.printConfiguration, nil, "print the configuration and exit"),
        Row(.gatewayPorts, nil, "let other hosts connect to local forwards"),
        Row(.pkcs11, "pkcs11", "use this PKCS#11 library"),
        Row(.identityFile, "identity_file", "use this private key"),
        Row(.jump, "[user@]host[:port]", "go through this host"),
        Row(.gssapi, nil, "try Kerberos and hand tickets on"),
        Row(.noDelegation, nil, "do not hand tickets on"),
        Row(.localForward, "address", "listen here, connect there"),
        Row(.loginName, "login_name", "log in as this user"),
        Row(.controlMaster, nil, "serve others over this connection"),
        Row(.mac, "mac_spec", "message authentication codes in order of preference"),
        Row(.noSession, nil, "run no command"),
        Row(.noStandardInput, nil, "read nothing from standard input"),
        Row(.controlCommand, "ctl_cmd", "tell the process that shares its connection"),
        Row(.option, "option", "set one option as in the configuration file"),
        Row(.ignoredPrivilegedPort, nil, "accepted and without meaning"),
        Row(.port, "port", "connect to this port"),
        Row(.query, "query_option", "print supported algorithms and exit"),
        Row(.quiet, nil, "print as little as possible"),
        Row(.remoteForward, "address", "listen on the server, connect here"),
        Row(.controlPath, "ctl_path", "the socket of a shared connection, or none"),
        Row(.subsystem, nil, "the command names a subsystem"),
        Row(.noTerminal, nil, "allocate no terminal"),
        Row(.terminal, nil, "allocate a terminal; twice: always"),
        Row(.version, nil, "print the version and exit"),
        Row(.verbose, nil, "tell what happens; up to three times"),
        Row(.standardForward, "host:port", "join standard input and output to this address"),
        Row(.tunnel, "local_tun[:remote_tun]", "forward a tun device"),
        Row(.forwardX11, nil, "forward X11"),
        Row(.noForwardX11, nil, "do not forward X11"),
        Row(.trustedX11, nil, "forward X11 and trust its clients"),
        Row(.syslog, nil, "send messages to syslog"),
    ]

    /// Whether a value follows.
    public var takesValue: Bool {
        // Searched in order: a dictionary of it costs each start more than it ever saves.
        Flag.table.first { $0.flag == self }?.value != nil
    }
}
