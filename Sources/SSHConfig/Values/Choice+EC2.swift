/// EC2Host, EC2UserFallback, EC2PushKey, EC2ShellFallback and Resume: left to us, or said.
public enum AutoYesNo: Choice {
    /// As the situation asks; what that means is told at each keyword.
    case auto
    /// Always.
    case yes
    /// Never.
    case no

    /// The words of our configuration.
    public static let words: [(word: String, value: AutoYesNo)] = [
        ("auto", .auto), ("yes", .yes), ("no", .no), ("true", .yes), ("false", .no),
    ]
}

/// EC2VerifyHostKey.
public enum HostKeyProof: Choice {
    /// An unknown host key is proved from AWS before anyone is asked.
    case auto
    /// Never.
    case no

    /// The words of our configuration.
    public static let words: [(word: String, value: HostKeyProof)] = [
        ("auto", .auto), ("no", .no), ("false", .no),
    ]
}

/// One way to an instance, as EC2Ways names it.
public enum WayName: Choice {
    /// TCP to the instance's address, or the ProxyCommand or ProxyJump given.
    case direct
    /// An EC2 Instance Connect Endpoint.
    case endpoint
    /// A Session Manager session.
    case ssm

    /// The words of our configuration.
    public static let words: [(word: String, value: WayName)] = [
        ("direct", .direct), ("endpoint", .endpoint), ("ssm", .ssm),
    ]
}

/// ResumeOverflow: what happens when the bytes kept for replay fill their buffer.
public enum ResumeOverflow: Choice {
    /// A command or proxy blocks, a terminal drops the oldest output.
    case auto
    /// The remote side waits.
    case block
    /// The oldest output is dropped, and how much is told.
    case drop

    /// The words of our configuration.
    public static let words: [(word: String, value: ResumeOverflow)] = [
        ("auto", .auto), ("block", .block), ("drop", .drop),
    ]
}
