internal import Synchronization

/// A log's lines, collected from any thread.
public final class Lines: Sendable {
    private let lines = Mutex<[String]>([])

    /// None yet.
    public init() {}

    /// The lines so far.
    public var all: [String] { lines.withLock { $0 } }

    /// Takes a line.
    public func add(_ line: String) { lines.withLock { $0.append(line) } }
}
