/// Which policy a domain may publish, by what its reports show.
package struct Advice: Sendable {
    /// The policies.
    package enum Policy: String, Sendable {
        case none, quarantine, reject
    }

    /// What a policy would have hit.
    package struct Hit: Sendable {
        /// The source.
        package var source: SourceInsight
        /// How many of its messages that failed look like ours.
        package var legitimate: Int64
        /// Why.
        package var why: String
    }

    /// The recommendation.
    package var policy: Policy
    /// Its reason.
    package var reason: String
    /// The record to publish.
    package var record: String
    /// What a stricter policy would have hit, by source.
    package var hits: [Hit]
    /// How many messages failed.
    package var failed: Int64
    /// How many of them look like ours.
    package var legitimate: Int64

    /// Fewer messages than these prove nothing.
    private static let fewest: Int64 = 100
    /// Fewer days than these show no weekly or monthly mail.
    private static let days = 14

    /// Weighs what reports say of a domain.
    ///
    /// - Parameters:
    ///   - domain: the domain, as its reports show it.
    ///   - published: the record that is published; nil where it is not known.
    package init(for domain: DomainInsight, published: String? = nil) {
        hits = domain.groups.filter { $0.failed > 0 }.map { source in
            // A group is as good as its addresses.
            let (count, why) = source.legitimate
            return Hit(source: source, legitimate: count, why: why)
        }
        let total = domain.total
        failed = total.failed
        legitimate = hits.reduce(0) { $0 + $1.legitimate }
        let ours = total.passed + legitimate
        let perMille = ours > 0 ? Double(legitimate) * 1000 / Double(ours) : 0
        let share = Percent.text(legitimate, of: ours)
        if total.messages < Self.fewest {
            policy = .none
            reason =
                "\(total.messages) messages are too few to judge by: wait for reports about \(Self.fewest) at least"
        } else if total.passed == 0 {
            policy = .none
            reason = "nothing passes: a stricter policy would stop every message of the domain"
        } else if perMille >= 10 {
            policy = .none
            reason =
                "\(share) of the mail that looks like ours fails (\(legitimate) of \(ours) messages): mend its sources first"
        } else if legitimate > 0, perMille >= 1 {
            policy = .quarantine
            reason =
                "\(share) of the mail that looks like ours fails (\(legitimate) of \(ours) messages): it would go to spam folders and not be lost"
        } else if let (name, number) = Self.suspect(hits) {
            policy = .quarantine
            reason =
                "\(number) messages of \(name) failed, a service that sends for others: find out whether it sends for you, and set it up or go on to reject"
        } else if domain.days.count < Self.days {
            policy = .quarantine
            reason =
                "hardly any mail of ours fails, but \(domain.days.count) days of reports may not show what is sent once a month"
        } else {
            policy = .reject
            reason =
                legitimate == 0
                ? "no message that looks like ours failed, and \(failed) that do not would be stopped"
                : "only \(share) of the mail that looks like ours fails (\(legitimate) of \(ours) messages)"
        }
        record = Self.record(policy, domain, published)
    }

    /// The service whose failures are the most, and may be mail of ours that nobody has set up.
    private static func suspect(_ hits: [Hit]) -> (name: String, messages: Int64)? {
        let services = hits.filter { $0.source.kind == .provider && $0.legitimate == 0 }
        let worst = services.max { $0.source.failed < $1.source.failed }
        guard let worst, worst.source.failed >= fewest / 10 else { return nil }
        return (worst.source.name, worst.source.failed)
    }

    /// The record with another policy; all else stays as it was published.
    private static func record(
        _ policy: Policy, _ domain: DomainInsight, _ published: String?
    ) -> String {
        guard let published, published.hasPrefix("v=DMARC1") else {
            return
                "v=DMARC1; p=\(policy.rawValue); rua=mailto:dmarc-reports@\(domain.domain)"
        }
        var tags = published.split(separator: ";").map { tag in
            String(tag.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
        }.filter { !$0.isEmpty }
        let place = tags.firstIndex { tag in
            tag.split(separator: "=").first.map { $0.filter { $0 != " " } } == "p"
        }
        if let place {
            tags[place] = "p=\(policy.rawValue)"
        } else {
            tags.insert("p=\(policy.rawValue)", at: min(1, tags.count))
        }
        return tags.joined(separator: "; ")
    }
}

/// Shares as people read them.
package enum Percent {
    /// A share with one decimal; never "100.0 %" or "0.0 %" for what is not all or nothing.
    package static func text(_ part: Int64, of whole: Int64) -> String {
        guard whole > 0 else { return "–" }
        if part == whole { return "100 %" }
        if part == 0 { return "0 %" }
        let exact = Double(part) / Double(whole) * 1000
        let tenths = min(max(Int64(exact.rounded()), 1), 999)
        return "\(tenths / 10).\(tenths % 10) %"
    }

    /// A number with commas between its thousands.
    package static func number(_ number: Int64) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }
}
