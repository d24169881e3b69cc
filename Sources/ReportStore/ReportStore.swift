/// A store of evaluations, from which reports are made: messages that do not differ in what a report says are counted together.
public protocol ReportStore: EvaluationSink {
    /// The policies under which mail was evaluated on a day, in the order of their domains' names.
    ///
    /// A domain whose policy was changed on that day is there once for each.
    ///
    /// - Parameter day: the UTC day, in days since 1970.
    /// - Returns: the policies.
    /// - Throws: why the store cannot be read.
    func policies(on day: Int64) throws(SinkError) -> [PublishedPolicy]

    /// Hands over what was counted under a policy on a day, in an order that is the same each time.
    func counts(
        under policy: PublishedPolicy, on day: Int64,
        _ each: (EvaluationCount) throws(SinkError) -> Void
    ) throws(SinkError)

    /// How many messages of a day were left out, as there was no room to keep them apart.
    func others(on day: Int64) throws(SinkError) -> Int64
}

/// A policy as it was published.
public struct PublishedPolicy: Hashable, Sendable {
    /// Its number in the store.
    let id: Int64
    /// The policy; `applied` is empty, as it depends on the message.
    public let policy: Evaluation.Policy
}

/// A row of the store: how many messages had the same.
public struct EvaluationCount: Hashable, Sendable {
    /// The client's address; nil where there was none.
    public let sourceAddress: String?
    /// What was found and done.
    public let verdict: Verdict
    /// The verdict's number in the store: rows with the same have the same verdict.
    package let verdictNumber: Int64
    /// How many messages.
    public let messages: Int64
}
