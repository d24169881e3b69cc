/// What a signing log says, ready for questions about reports.
package struct SigningLedger: Sendable {
    /// The first day that all logs have; nil where nothing is in them.
    package private(set) var first: Int64?
    private var messages: [String: [Int64: Int64]] = [:]
    private var selectors: [Selector: Use] = [:]
    private var recipients: [String: [String: Use]] = [:]

    private struct Selector: Hashable {
        let domain: String
        let selector: String
    }

    /// The days on which something was used, as far as they are looked at: the first and the last.
    private struct Use {
        var first: Int64
        var last: Int64
        var algorithm = ""
        var days: Set<Int64>

        init(_ day: Int64) { (first, last, days) = (day, day, [day]) }

        mutating func add(_ day: Int64) {
            (first, last) = (min(first, day), max(last, day))
            days.insert(day)
        }
    }

    /// For how many days a message may wait in a queue (RFC 5321, section 4.5.4.1: "at least 4-5 days").
    private static let queue: Int64 = 5

    /// A ledger of counts.
    package init(_ counts: some Sequence<(SigningCount, SigningNumbers)>) {
        for (count, numbers) in counts { add(count, numbers) }
    }

    /// Reads the logs of all hosts that sign for the same domains.
    ///
    /// - Parameters:
    ///   - directories: the logs' directories.
    ///   - day: the first day of the reports.
    /// - Returns: the ledger; nil where one of them has nothing yet, as nobody knows then what its host has signed.
    /// - Throws: why one cannot be read.
    package static func read(
        _ directories: [String], since day: Int64
    ) throws(SigningLogError) -> SigningLedger? {
        var ledger = SigningLedger([])
        var begin: Int64?
        for directory in directories {
            let folder = SigningFolder(path: directory)
            let days = folder.days()
            guard let first = days.first else { return nil }
            for one in days where one >= day - queue {
                for (count, numbers) in try folder.counts(of: one) { ledger.add(count, numbers) }
            }
            begin = max(begin ?? first, first)
        }
        ledger.first = begin
        return begin == nil ? nil : ledger
    }

    private mutating func add(_ count: SigningCount, _ numbers: SigningNumbers) {
        first = min(first ?? count.day, count.day)
        messages[count.domain, default: [:]][count.day, default: 0] += numbers.messages
        let selector = Selector(domain: count.domain, selector: count.selector)
        selectors[selector, default: Use(count.day)].add(count.day)
        selectors[selector]?.algorithm = count.algorithm
        guard !count.recipient.isEmpty else { return }
        recipients[count.domain, default: [:]][count.recipient, default: Use(count.day)]
            .add(count.day)
    }

    /// Whether the log has everything that may have come to somebody on a day.
    package func covers(_ day: Int64) -> Bool { first.map { $0 <= day } ?? false }

    /// Whether a message that came to somebody in some days may have a signature that was made here.
    ///
    /// - Parameters:
    ///   - domain: the signing domain.
    ///   - selector: the selector; where it is empty, as some reporters do not tell it, any will do.
    ///   - days: the days on which it came.
    /// - Returns: whether there was such a signature on these days, or as long before as queues keep mail.
    package func hasSigned(
        domain: String, selector: String, in days: ClosedRange<Int64>
    ) -> Bool {
        let days = days.lowerBound - Self.queue...days.upperBound
        guard selector.isEmpty else {
            return selectors[Selector(domain: domain, selector: selector)].map {
                Self.meets($0, days)
            } ?? false
        }
        return messages[domain]?.keys.contains { days.contains($0) } ?? false
    }

    private static func meets(_ use: Use, _ days: ClosedRange<Int64>) -> Bool {
        guard use.first <= days.upperBound, use.last >= days.lowerBound else { return false }
        return days.count > use.days.count
            ? use.days.contains { days.contains($0) } : days.contains { use.days.contains($0) }
    }

    /// The algorithm of a selector; empty where it was not used.
    package func algorithm(domain: String, selector: String) -> String {
        selectors[Selector(domain: domain, selector: selector)]?.algorithm ?? ""
    }

    /// The last day on which a selector was used, in days since 1970; nil where it was not.
    package func lastDay(domain: String, selector: String) -> Int64? {
        selectors[Selector(domain: domain, selector: selector)]?.last
    }

    /// How many messages were signed for a domain in some days, once for each domain that they went to.
    package func messages(of domain: String, in days: ClosedRange<Int64>) -> Int64 {
        messages[domain]?.reduce(0) { days.contains($1.key) ? $0 + $1.value : $0 } ?? 0
    }

    /// To how many domains they went.
    package func recipientDomains(of domain: String, in days: ClosedRange<Int64>) -> Int {
        recipients[domain]?.values.count { use in
            use.last >= days.lowerBound && use.days.contains { days.contains($0) }
        } ?? 0
    }
}
