/// What became of the evaluations of a daemon since its start.
public struct EvaluationTally: Hashable, Sendable {
    /// Those that the store, or the file of those that wait for it, has taken.
    public var taken = 0
    /// Those for which there was no room.
    public var dropped = 0
    /// Those that wait in memory.
    public var waiting = 0

    /// None yet.
    public init() {}
}
