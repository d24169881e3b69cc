/// A report as the store has it, without its rows.
package struct StoredReport: Hashable, Sendable {
    /// The report; its counts are not with it.
    package var report: ReceivedReport
    /// When it was imported, in seconds since 1970.
    package var received: Int64
    /// How many of its messages passed.
    package var passed: Int64

    init(_ row: any SQLRow) {
        report = ReceivedReport(kind: ReceivedReport.Kind(rawValue: row.text(0)) ?? .aggregate)
        report.reporter = row.text(1)
        report.reporterDomain = row.text(2)
        report.id = row.text(3)
        report.domain = row.text(4)
        (report.begin, report.end) = (row.integer(5), row.integer(6))
        received = row.integer(8)
        report.records = Int(row.integer(9))
        report.messages = row.integer(10)
        passed = row.integer(11)
        let words = row.text(12).split(separator: " ", omittingEmptySubsequences: false)
            .map(String.init)
        if words.count == 5 {
            (report.policy.p, report.policy.sp, report.policy.np) = (words[0], words[1], words[2])
            (report.policy.adkim, report.policy.aspf) = (words[3], words[4])
        }
        report.notes = row.text(13).split(separator: "\n").map(String.init)
    }
}

/// What was counted for one domain, source and verdict.
package struct StoredCount: Hashable, Sendable {
    /// The policy domain.
    package let domain: String
    /// The client's address.
    package let source: String
    /// The verdict's number in the store.
    package let verdictNumber: Int64
    /// The verdict.
    package let verdict: ReceivedVerdict
    /// The first day, in days since 1970.
    package let first: Int64
    /// The last day.
    package let last: Int64
    /// How many messages.
    package let messages: Int64
    /// How many of them in the second half of the time.
    package let recent: Int64
}

/// What one reporter counted on one day for one source and verdict.
package struct StoredRow {
    /// The policy domain.
    package let domain: String
    /// The verdict's number in the store.
    package let verdict: Int64
    /// The day, in days since 1970.
    package let day: Int64
    /// The reporter's organizational domain.
    package let reporter: String
    /// How many messages.
    package let messages: Int64
    let row: any SQLRow

    /// The client's address.
    package var source: String { row.text(5) }
}

/// Why something was kept aside.
package struct ReceivedRefusal: Hashable, Sendable {
    /// When, in seconds since 1970.
    package var received: Int64
    /// Whether it is a good report about a domain that is not ours.
    package var isForeign = false
    /// What kind of report it is, if that is known.
    package var kind: ReceivedReport.Kind?
    /// Who made it.
    package var reporter = ""
    /// The Report-ID.
    package var id = ""
    /// The policy domain.
    package var domain = ""
    /// The reason.
    package var reason = ""
    /// What else is wrong with it.
    package var notes: [String] = []
    /// The name under which it is kept aside.
    package var kept = ""

    /// An empty refusal.
    package init(received: Int64) { self.received = received }

    init(_ row: any SQLRow) {
        received = row.integer(0)
        isForeign = row.text(1) == "foreign"
        kind = ReceivedReport.Kind(rawValue: row.text(2))
        reporter = row.text(3)
        id = row.text(4)
        domain = row.text(5)
        reason = row.text(6)
        notes = row.text(7).split(separator: "\n").map(String.init)
        kept = row.text(8)
    }
}
