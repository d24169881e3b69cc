package import ReportStore

/// What RejectFailures of signet-dmarc would have refused, by what was evaluated while it was off.
package struct InboundAdvice: Sendable {
    /// What would have been refused of one author domain.
    package struct Domain: Hashable, Sendable {
        /// The domain of the From field.
        package var domain: String
        /// How many messages.
        package var messages: Int64 = 0
        /// How many of them look like real mail that was changed on its way.
        package var changed: Int64 = 0
        /// How many rows of the store they are in: a source counts for each day.
        package var rows = 0
    }

    /// How many messages were evaluated.
    package private(set) var messages: Int64 = 0
    /// How many failed DMARC.
    package private(set) var failed: Int64 = 0
    /// How many were refused already.
    package private(set) var refused: Int64 = 0
    /// What would have been refused besides, most messages first.
    package private(set) var domains: [Domain] = []

    /// How many would have been refused besides.
    package var stopped: Int64 { domains.reduce(0) { $0 &+ $1.messages } }
    /// How many of those look like real mail.
    package var changed: Int64 { domains.reduce(0) { $0 &+ $1.changed } }

    /// How many domains are kept apart.
    private static let most = 10_000
    /// What signet-dmarc says of a message that it would have refused.
    private static let reason = "RejectFailures is off"

    /// Reads the evaluations of some days.
    ///
    /// - Parameters:
    ///   - store: the store of signet-dmarc.
    ///   - days: the days, since 1970.
    /// - Throws: why it cannot be read.
    package init(of store: any ReportStore, in days: ClosedRange<Int64>) throws(SinkError) {
        var found: [String: Domain] = [:]
        for day in days {
            for policy in try store.policies(on: day) {
                try store.counts(under: policy, on: day) { count throws(SinkError) in
                    take(count, &found)
                }
            }
        }
        domains = found.values.sorted { ($0.messages, $1.domain) > ($1.messages, $0.domain) }
    }

    private mutating func take(_ count: EvaluationCount, _ found: inout [String: Domain]) {
        let verdict = count.verdict
        messages &+= count.messages
        guard verdict.result == "fail" else { return }
        failed &+= count.messages
        if verdict.disposition == "reject" { refused &+= count.messages }
        guard verdict.overrides.contains(where: { $0.comment == Self.reason }) else { return }
        let name =
            found[verdict.headerFrom] != nil || found.count < Self.most
            ? verdict.headerFrom : "(other domains)"
        var domain = found[name] ?? Domain(domain: name)
        domain.messages &+= count.messages
        domain.rows += 1
        if Self.looksChanged(verdict) { domain.changed &+= count.messages }
        found[name] = domain
    }

    /// Whether a list or a forwarder is likely to have had the message.
    ///
    /// It has a valid ARC chain, or a signature of its author's domain that does not verify while SPF passes for somebody else: a
    /// forger can make up the latter, but gains nothing by it.
    private static func looksChanged(_ verdict: Verdict) -> Bool {
        if verdict.arc == "pass" { return true }
        let isBroken = verdict.authentications.contains {
            $0.mechanism == "dkim" && $0.result != "none"
                && SourceInsight.isAligned($0.domain, verdict.headerFrom)
        }
        return isBroken
            && verdict.authentications.contains { $0.mechanism == "spf" && $0.result == "pass" }
    }

    /// The answer, in a sentence.
    package var answer: String {
        guard messages > 0 else { return "no message was evaluated in these days" }
        guard stopped > 0 else {
            return refused > 0
                ? "RejectFailures refused \(Percent.number(refused)) of \(Percent.number(messages)) messages"
                : "RejectFailures would have refused none of \(Percent.number(messages)) messages"
        }
        let real =
            changed == 0
            ? "none of them looks like real mail"
            : "\(Percent.number(changed)) of them look like real mail that a list or forwarder has changed"
        return "RejectFailures would have refused \(Percent.number(stopped)) of"
            + " \(Percent.number(messages)) messages (\(Percent.text(stopped, of: messages))): \(real)"
    }

    /// What to do, in a sentence.
    package var advice: String {
        if stopped == 0 { return "it makes no difference to the mail of these days" }
        return changed == 0
            ? "set RejectFailures yes"
            : "name the forwarders in ExemptHosts, or trust their ARC chains, before RejectFailures yes"
    }
}
