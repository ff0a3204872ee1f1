internal import Posix

/// What everything that works over one login shares.
final class LoggedIn {
    /// What the run shares.
    let context: Context
    /// What the run is to do, and its configuration.
    let plan: Plan
    /// The connection; it stands when this is made.
    let connection: Connection
    /// What lives on it besides the run's own session.
    let channels: ChannelList
    /// What the server may reach on this side.
    let access: ServerAccess

    /// Its port forwards.
    private(set) lazy var forwarding = Forwarding(over: self)

    init(context: Context, plan: Plan, connection: Connection) {
        self.context = context
        self.plan = plan
        self.connection = connection
        channels = ChannelList(poller: context.poller)
        access = ServerAccess(plan.options, connection, channels, in: context)
    }
}
