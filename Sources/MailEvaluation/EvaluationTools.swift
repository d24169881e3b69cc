package import MailAuth
package import MailDNS
package import Threads

/// What evaluations are made with, shared by all messages: who answers, the clocks, and the memory
/// of records that were parsed.
package struct EvaluationTools: Sendable {
    /// Answers the questions.
    package private(set) var resolver: any DNSResolver
    /// The clocks: of deadlines, and of when the message was received.
    package let time: TimeSource
    /// Keys of signers, parsed once.
    package let keys = ParsedKeyCache()
    /// SPF records, parsed once.
    package let spfRecords = SPFRecordCache()
    /// What clients and senders have under way.
    package let shares = QuestionShares()
    /// DMARC records, parsed once.
    package let dmarcRecords = DMARCRecordCache()

    /// Puts the tools together, with empty memories.
    package init(resolver: any DNSResolver, time: TimeSource) {
        self.resolver = resolver
        self.time = time
    }

    /// The same tools and memories, with questions to another resolver, such as one that remembers them
    /// for one message.
    package func asking(_ resolver: any DNSResolver) -> EvaluationTools {
        var tools = self
        tools.resolver = resolver
        return tools
    }

    /// Makes SPF checks under these limits.
    func spfEvaluator(
        _ limits: SPFLimits, wantsExplanation: Bool, asking resolver: any DNSResolver
    ) -> SPFEvaluator {
        SPFEvaluator(
            resolver: resolver, time: time, limits: limits, wantsExplanation: wantsExplanation,
            records: spfRecords)
    }
}
