internal import Reports

extension Insight {
    /// What the reports show in half a line, for the subject of a mail: what came without being counted is not nothing.
    package var headline: String {
        let total = domains.reduce(Int64(0)) { $0 + $1.total.messages }
        let passed = domains.reduce(Int64(0)) { $0 + $1.total.passed }
        guard total == 0 else {
            return "\(Percent.text(passed, of: total)) of \(Percent.number(total)) messages passed"
        }
        let kept = KeptAsideCount(refusals).map { "\($0.words) kept aside" }
        let others = [
            domains.isEmpty ? nil : "aggregate reports about no messages",
            sessions.isEmpty ? nil : "TLS reports", failures.isEmpty ? nil : "failure reports",
        ].compactMap(\.self)
        guard others.isEmpty else {
            let all = others.joined(separator: " and ")
            return "\(all) alone" + (kept.map { "; \($0)" } ?? "")
        }
        return kept.map { "none taken, \($0)" }
            ?? "none about days since \(CalendarDay(number: begin))"
    }
}
