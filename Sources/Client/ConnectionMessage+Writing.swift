internal import SSH
internal import SSHConfig

extension ConnectionMessage {
    /// OpenSSH takes a shorter packet for one that is not whole.
    private static let shortest = 5

    /// The message as a packet without its length.
    var packet: [UInt8] {
        let payload = payload
        let padding = max(0, ConnectionMessage.shortest - 1 - payload.count)
        return [UInt8(padding)] + payload + [UInt8](repeating: 0, count: padding)
    }

    private var payload: [UInt8] {
        var writer = WireWriter()
        switch self {
        case .globalRequest(let request, let wantsReply):
            writer.put(.globalRequest)
            writer.text(request.name)
            writer.flag(wantsReply)
            request.encode(into: &writer)
        case .requestSuccess(let bytes):
            writer.put(.requestSuccess)
            writer.raw(bytes)
        case .requestFailure: writer.put(.requestFailure)
        case .open(let opening):
            writer.put(.open)
            opening.encode(into: &writer)
        case .opened(let channel, let sender, let window, let packet):
            writer.put(.opened)
            for number in [channel, sender, window, packet] { writer.number(number) }
        case .openFailure(let channel, let code, let text):
            writer.put(.openFailure)
            writer.number(channel)
            writer.number(code)
            writer.text(text)
            writer.text("")
        case .windowAdjust(let channel, let count):
            writer.put(.windowAdjust)
            writer.number(channel)
            writer.number(count)
        case .data(let channel, let bytes):
            writer.put(.data)
            writer.number(channel)
            writer.string(bytes)
        case .extendedData(let channel, let type, let bytes):
            writer.put(.extendedData)
            writer.number(channel)
            writer.number(type)
            writer.string(bytes)
        case .eof(let channel): writer.put(.eof, channel)
        case .close(let channel): writer.put(.close, channel)
        case .request(let channel, let request, let wantsReply):
            writer.put(.request, channel)
            writer.text(request.name)
            writer.flag(wantsReply)
            request.encode(into: &writer)
        case .success(let channel): writer.put(.success, channel)
        case .failure(let channel): writer.put(.failure, channel)
        case .other(let type, let bytes):
            writer.raw([type])
            writer.raw(bytes)
        }
        return writer.bytes
    }
}

extension GlobalRequest {
    static let listenName = "tcpip-forward"
    static let cancelName = "cancel-tcpip-forward"

    fileprivate var name: String {
        switch self {
        case .listen: GlobalRequest.listenName
        case .cancelListen: GlobalRequest.cancelName
        case .other(let name, _): name
        }
    }

    fileprivate func encode(into writer: inout WireWriter) {
        switch self {
        case .listen(let host, let port), .cancelListen(let host, let port):
            writer.text(host)
            writer.number(port)
        case .other(_, let bytes): writer.raw(bytes)
        }
    }
}

extension ChannelOpening.Kind {
    static let sessionName = "session"
    static let directTCPName = "direct-tcpip"
    static let directUnixName = "direct-streamlocal@openssh.com"
    static let forwardedTCPName = "forwarded-tcpip"

    fileprivate var name: String {
        switch self {
        case .session: Self.sessionName
        case .directTCP: Self.directTCPName
        case .directUnix: Self.directUnixName
        case .forwardedTCP: Self.forwardedTCPName
        case .other(let name, _): name
        }
    }
}

extension ChannelOpening {
    fileprivate func encode(into writer: inout WireWriter) {
        writer.text(kind.name)
        for number in [sender, window, packet] { writer.number(number) }
        switch kind {
        case .session: break
        case .directTCP(let ends), .forwardedTCP(let ends):
            writer.text(ends.host)
            writer.number(ends.port)
            writer.text(ends.originHost)
            writer.number(ends.originPort)
        case .directUnix(let path):
            writer.text(path)
            writer.text("")
            writer.number(0)
        case .other(_, let bytes): writer.raw(bytes)
        }
    }
}

extension ChannelRequest {
    static let ptyName = "pty-req"
    static let x11Name = "x11-req"
    static let agentName = "auth-agent-req@openssh.com"
    static let variableName = "env"
    static let shellName = "shell"
    static let executeName = "exec"
    static let subsystemName = "subsystem"
    static let windowChangeName = "window-change"
    static let signalName = "signal"
    static let breakName = "break"
    static let exitStatusName = "exit-status"
    static let exitSignalName = "exit-signal"

    fileprivate var name: String {
        switch self {
        case .pty: ChannelRequest.ptyName
        case .x11: ChannelRequest.x11Name
        case .agent: ChannelRequest.agentName
        case .variable: ChannelRequest.variableName
        case .shell: ChannelRequest.shellName
        case .execute: ChannelRequest.executeName
        case .subsystem: ChannelRequest.subsystemName
        case .windowChange: ChannelRequest.windowChangeName
        case .signal: ChannelRequest.signalName
        case .sendBreak: ChannelRequest.breakName
        case .exitStatus: ChannelRequest.exitStatusName
        case .exitSignal: ChannelRequest.exitSignalName
        case .other(let name, _): name
        }
    }

    fileprivate func encode(into writer: inout WireWriter) {
        switch self {
        case .pty(let term, let size, let modes):
            writer.text(term)
            writer.size(size)
            writer.string(modes)
        case .x11(let single, let name, let cookie, let screen):
            writer.flag(single)
            writer.text(name)
            writer.text(cookie)
            writer.number(screen)
        case .agent, .shell: break
        case .variable(let name, let value):
            writer.text(name)
            writer.text(value)
        case .execute(let command): writer.string(command)
        case .subsystem(let name), .signal(let name): writer.text(name)
        case .windowChange(let size): writer.size(size)
        case .sendBreak(let number), .exitStatus(let number): writer.number(number)
        case .exitSignal(let name, let coreDumped, let message, let language):
            writer.text(name)
            writer.flag(coreDumped)
            writer.text(message)
            writer.text(language)
        case .other(_, let bytes): writer.raw(bytes)
        }
    }
}

extension WireWriter {
    fileprivate mutating func put(_ number: ConnectionNumber) { raw([number.rawValue]) }

    fileprivate mutating func put(_ number: ConnectionNumber, _ channel: UInt32) {
        put(number)
        self.number(channel)
    }

    fileprivate mutating func flag(_ value: Bool) { raw([value ? 1 : 0]) }

    fileprivate mutating func text(_ value: String) { string(LosslessText.bytes(value)) }

    fileprivate mutating func size(_ size: ChannelRequest.PtySize) {
        for value in [size.columns, size.rows, size.width, size.height] { number(value) }
    }
}
