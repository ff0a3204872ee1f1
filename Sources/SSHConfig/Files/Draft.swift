/// Options while they are read, with what is decided only at the end.
struct Draft {
    /// Values given so far; the rest are ssh's defaults.
    ///
    /// ``Options/given`` decides who was first.
    var options: Options
    /// ProxyCommand as given, `none` included; ProxyJump sets `none` too.
    var proxyCommand: String?
    /// ProxyJump as given.
    var jump: Jump?
    /// Hostname as given, before `%h` is expanded.
    var hostname: String?
    /// RekeyLimit's time has its own first value.
    var isRekeyTimeGiven = false

    enum Jump: Equatable {
        case none
        case hosts([JumpHost])
    }

    init(host: String) { options = Options(host: host) }

    /// Keywords whose defaults hold from now on, whatever the second pass may say.
    var settled = KeywordSet()

    /// Tells whether a keyword has its value already.
    func has(_ keyword: Keyword) -> Bool {
        options.given.contains(keyword) || settled.contains(keyword)
    }

    /// Sets a value whether or not there was one; for flags.
    mutating func put<Value>(
        _ keyword: Keyword,
        _ path: WritableKeyPath<Options, Value>,
        _ value: Value
    ) {
        options[keyPath: path] = value
        options.given.insert(keyword)
    }
}
