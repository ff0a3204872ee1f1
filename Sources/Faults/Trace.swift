/// Writes what a run does, level by level, as `ssh -v` does.
///
/// One run has one trace, used from its one thread; it is not Sendable on purpose. Nothing secret
/// is ever given to it: callers name keys by path or fingerprint.
public final class Trace {
    /// How much is told; the order and names are LogLevel's (ssh_config(5)).
    public enum Level: Int, Comparable, Sendable, CaseIterable {
        /// Nothing but what cannot be left unsaid.
        case quiet
        /// What ends the run.
        case fatal
        /// What failed.
        case error
        /// What the user should know without asking.
        case info
        /// A little more.
        case verbose
        /// `-v`
        case debug1
        /// `-vv`
        case debug2
        /// `-vvv`
        case debug3

        /// Orders levels from quiet to debug3.
        public static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
    }

    /// Messages above this level are dropped.
    public var level: Level
    /// Layers whose debug messages are all told, whatever the level (LogVerbose).
    public var openLayers: Set<Layer> = []
    /// Takes one line, without its line end.
    public var sink: (String) -> Void
    /// The level of the line that ``sink`` has been given last.
    public private(set) var lineLevel: Level = .info

    /// Makes a trace that tells up to `level`.
    /// - Parameters:
    ///   - level: LogLevel's value; `.info` is ssh's default.
    ///   - sink: receives each line, without a line end.
    public init(level: Level = .info, sink: @escaping (String) -> Void) {
        self.level = level
        self.sink = sink
    }

    /// Tells a debug message of one layer, as `debug1: layer: message`.
    /// - Parameters:
    ///   - level: `.debug1` to `.debug3`.
    ///   - layer: the step it belongs to.
    ///   - message: only evaluated when it will be told.
    public func debug(
        _ level: Level = .debug1,
        _ layer: Layer,
        _ message: @autoclosure () -> String
    ) {
        guard level <= self.level || openLayers.contains(layer) else { return }
        lineLevel = level
        sink("debug\(level.rawValue - Level.verbose.rawValue): \(layer.rawValue): \(message())")
    }

    /// Tells a message for the user, exactly as given, when the level lets it through.
    /// - Parameters:
    ///   - level: `.fatal` to `.verbose`.
    ///   - message: the whole line; only evaluated when it will be told.
    public func say(_ level: Level, _ message: @autoclosure () -> String) {
        guard level <= self.level else { return }
        lineLevel = level
        sink(message())
    }
}
