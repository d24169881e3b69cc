/// Where evaluations end up: a database, a file.
///
/// Used by one thread at a time, the writer's.
public protocol EvaluationSink: AnyObject {
    /// Writes all evaluations or none; opens what has to be opened.
    ///
    /// - Parameter evaluations: what to write, oldest first.
    /// - Throws: why it cannot be written now; it is tried again.
    func write(_ evaluations: [Evaluation]) throws(SinkError)

    /// Does some housekeeping, for which there is time now.
    ///
    /// - Returns: whether there is more to do.
    /// - Throws: why it cannot be done now; it is tried again.
    func tidy() throws(SinkError) -> Bool

    /// What has happened since the last call that the log should say.
    func notices() -> [String]
}

extension EvaluationSink {
    /// Has nothing to do.
    public func tidy() throws(SinkError) -> Bool { false }

    /// Has nothing to say.
    public func notices() -> [String] { [] }
}

/// Why evaluations could not be written.
public struct SinkError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason in words.
    public let description: String

    /// Creates an error.
    public init(_ description: String) { self.description = description }
}
