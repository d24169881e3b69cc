internal import Glibc
internal import Synchronization
internal import Threads

/// Where a daemon says what it does: a line for each event, never more, never less than whole.
///
/// Safe from any thread. A line that nobody takes is dropped after a tenth of a second and counted; mail never waits for the log.
public final class Log: Sendable {
    /// The severity of a line, as in syslog.
    public enum Level: Int32, Sendable, Comparable {
        /// Something failed.
        case error = 3
        /// Something will fail, or is probably not meant so.
        case warning = 4
        /// Starts, stops, reloads.
        case notice = 5
        /// What became of a message.
        case info = 6
        /// Why.
        case debug = 7

        /// Orders levels from the most severe.
        public static func < (left: Level, right: Level) -> Bool {
            left.rawValue < right.rawValue
        }
    }

    /// The most octets in a line; a pipe takes as many whole (pipe(7), PIPE_BUF).
    static let lineLimit = 4000

    private let threshold: Atomic<Int32>
    private let sink: Locked<any LogSink>

    /// Logs to a sink, up to a level.
    init(to sink: some LogSink, level: Level = .info) {
        threshold = Atomic(level.rawValue)
        self.sink = Locked(sink)
    }

    /// Logs to standard error, with priorities when the journal reads it.
    public convenience init(level: Level = .info) {
        self.init(to: DescriptorSink.standardError(), level: level)
    }

    /// Hands lines to a function, one at a time: for tests, and for programs that collect them.
    public convenience init(
        level: Level = .info, collecting body: @escaping @Sendable (Level, String) -> Void
    ) {
        self.init(to: FunctionSink(body: body), level: level)
    }

    /// The least severe level that is written.
    public var level: Level {
        get { Level(rawValue: threshold.load(ordering: .relaxed)) ?? .info }
        set { threshold.store(newValue.rawValue, ordering: .relaxed) }
    }

    /// Sends all further lines elsewhere.
    func redirect(to newSink: some LogSink) {
        sink.withLock { $0 = newSink }
    }

    /// Whether lines go to standard error.
    var writesToStandardError: Bool {
        sink.withLock { $0 is DescriptorSink }
    }

    /// Whether a line of that level is written.
    public func isEnabled(_ level: Level) -> Bool {
        level.rawValue <= threshold.load(ordering: .relaxed)
    }

    /// Writes a line about the daemon itself.
    public func log(_ level: Level, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        write(level, message())
    }

    /// Writes a line about a message; it begins with the queue id, or with `NOQUEUE` while there is none.
    public func log(_ level: Level, queueID: String?, _ message: @autoclosure () -> String) {
        guard isEnabled(level) else { return }
        write(level, "\(queueID ?? "NOQUEUE"): \(message())")
    }

    private func write(_ level: Level, _ message: String) {
        var line: [UInt8] = []
        line.reserveCapacity(256)
        LogText.append(message, to: &line, limit: Self.lineLimit)
        sink.withLock { $0.write(line, level: level) }
    }
}

extension Log {
    /// Something failed.
    public func error(_ message: @autoclosure () -> String) { log(.error, message()) }
    /// Something will fail, or is probably not meant so.
    public func warning(_ message: @autoclosure () -> String) { log(.warning, message()) }
    /// Starts, stops, reloads.
    public func notice(_ message: @autoclosure () -> String) { log(.notice, message()) }
    /// What the daemon did.
    public func info(_ message: @autoclosure () -> String) { log(.info, message()) }
    /// Why.
    public func debug(_ message: @autoclosure () -> String) { log(.debug, message()) }

    /// Something failed with a message.
    public func error(_ queueID: String?, _ message: @autoclosure () -> String) {
        log(.error, queueID: queueID, message())
    }
    /// Something about a message is probably not meant so.
    public func warning(_ queueID: String?, _ message: @autoclosure () -> String) {
        log(.warning, queueID: queueID, message())
    }
    /// Something notable about a message.
    public func notice(_ queueID: String?, _ message: @autoclosure () -> String) {
        log(.notice, queueID: queueID, message())
    }
    /// What became of a message.
    public func info(_ queueID: String?, _ message: @autoclosure () -> String) {
        log(.info, queueID: queueID, message())
    }
    /// Why it became of a message.
    public func debug(_ queueID: String?, _ message: @autoclosure () -> String) {
        log(.debug, queueID: queueID, message())
    }
}
