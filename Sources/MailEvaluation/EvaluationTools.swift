package import MailAuth
package import MailDNS
package import Threads

/// What evaluations are made with, shared by all messages: who answers, the clocks, and the memory
/// of records that were parsed.
package struct EvaluationTools: Sendable {
    /// Answers the questions.
    package let resolver: any DNSResolver
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

    /// Remembers the questions of one message; nil where nobody wants to know.
    package private(set) var recorder: RecordingResolver?
    /// Notes what one message's signatures cover, or tells it; nil where nobody wants to know.
    package private(set) var witness: MessageWitness?

    /// The same tools and memories for one message that is remembered, or recalled.
    package func remembering(
        _ recorder: RecordingResolver?, _ witness: MessageWitness?
    ) -> EvaluationTools {
        var tools = self
        tools.recorder = recorder
        tools.witness = witness
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
