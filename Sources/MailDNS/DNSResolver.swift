public import Threads

/// Whatever answers DNS questions: the libunbound resolver, a zone file, a test's fake.
public protocol DNSResolver: Sendable {
    /// Starts to look a question up, and returns at once.
    ///
    /// - Parameters:
    ///   - question: the name and type to ask for.
    ///   - deadline: when to give up; the answer is then a `timeout` failure.
    /// - Returns: a handle on which the answer can be waited for.
    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer
}

extension DNSResolver {
    /// Looks a question up and waits for the answer, at the latest until the deadline.
    public func resolve(_ question: DNSQuestion, deadline: MonotonicTime) -> DNSAnswer {
        begin(question, deadline: deadline).wait()
    }
}
