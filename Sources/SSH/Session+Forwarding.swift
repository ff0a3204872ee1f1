extension Session {
    /// Makes a channel to a Unix socket as the server sees it; it is not open yet.
    /// - Parameter path: the socket's path on the server.
    /// - Returns: the channel (`direct-streamlocal@openssh.com`, OpenSSH's PROTOCOL §2.4).
    public func openDirectUnix(path: String) -> any Channel {
        LibraryChannel(session: self, kind: .directUnix(path: path))
    }
}
