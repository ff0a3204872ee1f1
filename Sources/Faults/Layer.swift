/// Names the step of the way to a remote shell that a fault or a trace line belongs to.
///
/// The order is the order in which a run meets them.
public enum Layer: String, Sendable, CaseIterable {
    /// The command line.
    case usage
    /// ssh_config files and options.
    case configuration
    /// This machine: files, descriptors, memory, the terminal.
    case local
    /// Turning a name into addresses or an instance.
    case name
    /// Who we are to AWS: keys, roles, single sign-on.
    case credentials
    /// AWS's APIs.
    case aws
    /// TCP, or whatever carries the bytes.
    case network
    /// The SSH banner, key exchange and packets.
    case transport
    /// The host key.
    case trust
    /// Private keys, certificates and agents on this side.
    case identity
    /// The login.
    case auth
    /// The session channel and what runs in it.
    case channel
    /// A connection that broke after the login.
    case link
}
