internal import Posix
internal import SSH

/// What everything that works over one login shares.
final class LoggedIn {
    /// What the run shares.
    let context: Context
    /// What the run is to do, and its configuration.
    let plan: Plan
    /// What carries its channels; it stands when this is made.
    let session: any ChannelCarrier
    /// What lives on it besides the run's own session.
    let channels: ChannelList
    /// What the server may reach on this side.
    let access: ServerAccess

    /// Its port forwards.
    private(set) lazy var forwarding = Forwarding(over: self)

    /// - Parameters:
    ///   - context: what the run shares.
    ///   - plan: what the run is to do, and its configuration.
    ///   - session: what carries channels.
    ///   - restrictions: what must not be done over it.
    init(
        context: Context,
        plan: Plan,
        session: any ChannelCarrier,
        restrictions: HostKeyPolicy.Exposed = []
    ) {
        self.context = context
        self.plan = plan
        self.session = session
        channels = ChannelList(poller: context.poller)
        access = ServerAccess(plan.options, session, restrictions, channels, in: context)
    }

    /// - Parameters:
    ///   - context: what the run shares.
    ///   - plan: what the run is to do, and its configuration.
    ///   - connection: a connection of our own.
    convenience init(context: Context, plan: Plan, connection: Connection) {
        self.init(
            context: context,
            plan: plan,
            session: connection.session,
            restrictions: connection.restrictions
        )
    }
}
