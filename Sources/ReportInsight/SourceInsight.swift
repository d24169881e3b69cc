internal import ReportStore

/// What reports say of one address that sends in the name of one domain.
package struct SourceInsight: Hashable, Sendable {
    /// The address.
    package var address: String
    /// What it is grouped under.
    package var name = ""
    /// What it is.
    package var kind = SourceKind.unknown
    /// How many messages it sent.
    package var messages: Int64 = 0
    /// How many of them passed DMARC.
    package var passed: Int64 = 0
    /// How many passed by SPF.
    package var spfAligned: Int64 = 0
    /// How many passed by DKIM.
    package var dkimAligned: Int64 = 0
    /// How many passed by both.
    package var fullyAligned: Int64 = 0
    /// How many were sent in the second half of the time.
    package var recent: Int64 = 0
    /// How many were put into quarantine or rejected.
    package var stopped: Int64 = 0
    /// How many of those that failed have a signature of the domain that does not verify: it was changed on its way.
    package var broken: Int64 = 0
    /// How many of those that failed the reporter let pass as mail of a list or a forwarder.
    package var excused: Int64 = 0
    /// How many passed by one signature while another of the same domain failed: their reporter cannot verify its algorithm.
    package var unverifiable: Int64 = 0
    /// The first day, in days since 1970.
    package var first: Int64 = .max
    /// The last day.
    package var last: Int64 = 0
    /// A domain other than ours whose SPF record allows the address.
    var spfDomain: String?
    /// What it was put together by, where it stands for a group.
    var key = ""

    /// How many failed DMARC.
    package var failed: Int64 { messages - passed }
    /// How many passed by one of the two alone.
    package var partlyAligned: Int64 { passed - fullyAligned }

    init(address: String) { self.address = address }

    /// Adds what was counted for one verdict.
    ///
    /// - Parameters:
    ///   - count: what was counted.
    ///   - signatures: which signatures may be the domain's own; all of them where it is nil.
    mutating func add(_ count: StoredCount, _ signatures: OwnSignatures? = nil) {
        let (verdict, number) = (count.verdict, count.messages)
        messages &+= number
        recent &+= count.recent
        first = min(first, count.first)
        last = max(last, count.last)
        if verdict.isSPFAligned { spfAligned &+= number }
        if verdict.isDKIMAligned { dkimAligned &+= number }
        if verdict.isSPFAligned && verdict.isDKIMAligned { fullyAligned &+= number }
        if verdict.disposition == "reject" || verdict.disposition == "quarantine" {
            stopped &+= number
        }
        if verdict.spfResult == "pass", !verdict.isSPFAligned, spfDomain == nil {
            spfDomain = verdict.spfDomain
        }
        let own = verdict.signatures.filter { Self.isAligned($0.domain, count.domain) }
        if verdict.isPass {
            passed &+= number
            let passing = Set(own.filter { $0.result == "pass" }.map(\.domain))
            let isUnverifiable = own.contains { $0.result != "pass" && passing.contains($0.domain) }
            if verdict.isDKIMAligned, isUnverifiable { unverifiable &+= number }
            return
        }
        let reasons = ["forwarded", "mailing_list", "trusted_forwarder"]
        if reasons.contains(where: { reason in
            verdict.reasons.split(separator: "\n").contains { $0.hasPrefix("\(reason):") }
        }) {
            excused &+= number
        } else if own.contains(where: { signature in
            guard signature.result != "none" else { return false }
            let days = count.first...max(count.first, count.last)
            return signatures?.mayHave(signature, in: days) ?? true
        }) {
            broken &+= number
        }
    }

    /// Names it, once everything is counted.
    mutating func finish(_ facts: InsightFacts, domain: String) {
        (kind, name) = facts.source(address, of: domain, authorizedBy: spfDomain)
        // Our signature passes from a host whose SPF is another's: mail of ours that was passed on.
        if kind == .host || kind == .provider || kind == .unknown, dkimAligned > 0,
            spfAligned == 0, dkimAligned * 2 >= messages, kind != .provider
        {
            kind = .forwarder
        }
    }

    /// Adds another source of the same name.
    mutating func merge(_ other: SourceInsight) {
        messages &+= other.messages
        passed &+= other.passed
        spfAligned &+= other.spfAligned
        dkimAligned &+= other.dkimAligned
        fullyAligned &+= other.fullyAligned
        recent &+= other.recent
        stopped &+= other.stopped
        broken &+= other.broken
        excused &+= other.excused
        unverifiable &+= other.unverifiable
        first = min(first, other.first)
        last = max(last, other.last)
    }

    /// How many of its messages that failed look like ours, and why; the rest looks forged.
    package var legitimate: (messages: Int64, why: String) {
        guard failed > 0 else { return (0, "") }
        switch kind {
        case .own: return (failed, "sent by a host of ours")
        case .spf: return (failed, "sent by a host that our SPF record allows")
        case .provider, .forwarder, .host, .unknown: break
        }
        // A host that sends much good mail of ours sends the rest for us too.
        if passed > 0, passed * 4 >= messages {
            return (failed, "most other mail of this source passes")
        }
        if broken + excused > 0 {
            let why =
                broken > 0
                ? "our signature was there and broken on the way"
                : "passed on by a list or forwarder"
            return (broken + excused, why)
        }
        return (
            0,
            kind == .provider
                ? "a service that sends for others: if it sends for you, it is not set up for the domain"
                : "nothing of it is known to be ours"
        )
    }

    static func isAligned(_ name: String, _ domain: String) -> Bool {
        name == domain || name.hasSuffix(".\(domain)") || domain.hasSuffix(".\(name)")
    }
}
