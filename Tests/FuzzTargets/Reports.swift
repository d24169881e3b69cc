import ReportReading
import ReportStore

/// Every mail and file ends as reports or as a reason, within the bounds.
func checkReport(_ input: [UInt8]) throws(BrokenPromise) {
    var limits = ReadingLimits()
    limits.unpacked = 4 << 20
    limits.rows = 1000
    limits.records = 10_000
    let found = ReportReader.read(input, limits: limits)
    try promise("something is found, or there is a reason", !found.isEmpty)
    for case .report(let report) in found {
        try promise("a report is about a domain", !report.domain.isEmpty)
        try promise("notes are few", report.notes.count <= 64)
        try promise("notes are short", report.notes.allSatisfy { $0.utf8.count <= 400 })
        try promise("rows are bounded", report.counts.count <= limits.rows)
        try promise(
            "each row has a verdict",
            report.counts.allSatisfy { report.verdicts.indices.contains($0.verdict) })
        let sum = report.counts.reduce(Int64(0)) { $0 + $1.messages }
        try promise(
            "messages are the sum of the rows", report.kind != .aggregate || sum == report.messages)
        try promise("a period does not end before it begins", report.begin <= report.end)
    }
}

/// The machine-readable part of a failure report, in the mail that it comes in.
func checkFeedback(_ input: [UInt8]) throws(BrokenPromise) {
    let head = """
        From: d@reports.example
        Content-Type: multipart/report; report-type=feedback-report; boundary=b

        --b
        Content-Type: message/feedback-report


        """
    try checkReport(Array(head.utf8) + input)
}
