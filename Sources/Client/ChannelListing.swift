extension ChannelList {
    /// What `~#` shows: the session and every connection, in the order of their numbers, without the
    /// listeners.
    ///
    /// C: `channel_open_message`.
    var listing: String {
        var lines = entries.filter(\.user.keepsConnection).map { ($0.number, $0.user.description) }
        if let sessionNumber {
            lines.append((sessionNumber, "client-session (t4 [session])"))
        }
        lines.sort { $0.0 < $1.0 }
        return "The following connections are open:\r\n"
            + lines.map { "  #\($0.0) \($0.1.prefix(300))\r\n" }.joined()
    }
}
