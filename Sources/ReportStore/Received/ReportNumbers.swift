/// What a report counts, by which another one of the same identifier is told from a copy.
package struct ReportNumbers: Hashable, Sendable {
    /// The first and the last second of its period, since 1970.
    package var begin: Int64
    package var end: Int64
    /// How many records it has, and how many messages these count.
    package var records: Int64
    package var messages: Int64
    /// How many of these passed.
    package var passed: Int64

    /// Whether two periods have no second in common.
    package func isApart(from other: ReportNumbers) -> Bool {
        end < other.begin || other.end < begin
    }
}

extension ReceivedReport {
    /// What it counts.
    package var numbers: ReportNumbers {
        let passed = counts.reduce(Int64(0)) { sum, count in
            verdicts[count.verdict].isPass ? sum &+ count.messages : sum
        }
        return ReportNumbers(
            begin: begin, end: end, records: Int64(records), messages: messages, passed: passed)
    }

    /// What it is known by: of two reports with the same only the first is counted.
    package var identity: [String] {
        [kind.rawValue] + [reporterDomain, id, domain].map(ReceivedReportStore.line)
    }
}

extension ReceivedReportStore {
    /// What the report counts that is there already under the identity of another; nil where none is.
    ///
    /// - Throws: why the store cannot be read.
    package func numbers(
        ofReportLike report: ReceivedReport
    ) throws(SinkError) -> ReportNumbers? {
        var numbers: ReportNumbers?
        try database.rows(
            """
            SELECT begins, ends, records, messages, passed FROM received_report
            WHERE kind = $1 AND reporter_domain = $2 AND id = $3 AND domain = $4
            """, report.identity.map { .text($0) }
        ) { row in
            numbers = ReportNumbers(
                begin: row.integer(0), end: row.integer(1), records: row.integer(2),
                messages: row.integer(3), passed: row.integer(4))
        }
        return numbers
    }
}
