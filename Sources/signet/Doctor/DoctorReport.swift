import Doctor

/// What the doctor found, for a person: the verdict, then the faults with what mends them, then what was not looked at, then
/// what is fine.
struct DoctorReport {
    private let findings: [Diagnosis]

    /// Takes findings in their order.
    init(_ findings: [Diagnosis]) {
        self.findings = findings
    }

    /// The text, without the last line feed.
    func text(for terminal: Terminal) -> String {
        var lines = [verdict(terminal)]
        lines += faults(terminal)
        lines += block("Not looked at:", .skipped, terminal)
        lines += block("Fine:", .ok, terminal)
        return lines.joined(separator: "\n")
    }

    /// The faults, an empty line before each.
    func faults(_ terminal: Terminal) -> [String] {
        findings.filter(\.isFault).flatMap { [""] + fault($0, terminal) }
    }

    /// Whether anything is wrong, and how much.
    func verdict(_ terminal: Terminal) -> String {
        let errors = findings.count { $0.severity == .error }
        let warnings = findings.count { $0.severity == .warning }
        let counts = [(errors, "error"), (warnings, "warning")].filter { $0.0 > 0 }
            .map { "\($0.0) \($0.1)\($0.0 == 1 ? "" : "s")" }.joined(separator: ", ")
        guard !counts.isEmpty else { return terminal.coloured("✔ nothing is wrong", .green) }
        return errors > 0
            ? terminal.coloured("✘ \(counts)", .red) : terminal.coloured("! \(counts)", .yellow)
    }

    private func fault(_ finding: Diagnosis, _ terminal: Terminal) -> [String] {
        let isError = finding.severity == .error
        let head = terminal.coloured(
            "\(isError ? "✘" : "!") \(finding.subject)", isError ? .red : .yellow)
        var lines = ["\(head)  \(finding.id)"]
        lines += terminal.wrapped(finding.what, label: "  what", labelWidth: 8)
        lines += terminal.wrapped(finding.why, label: "  why", labelWidth: 8)
        switch (finding.mend, finding.mendLine) {
        case (.words, let mend?): lines += terminal.wrapped(mend, label: "  mend", labelWidth: 8)
        // What is to be copied stays in one line.
        case (_, let mend?): lines.append("  mend  \(mend)")
        case (_, nil): break
        }
        return lines
    }

    private func block(
        _ title: String, _ severity: Diagnosis.Severity, _ terminal: Terminal
    ) -> [String] {
        let chosen = findings.filter { $0.severity == severity }
        guard !chosen.isEmpty else { return [] }
        let sign = severity == .ok ? "✔" : "–"
        return ["", title]
            + chosen.flatMap {
                terminal.wrapped("\($0.subject): \($0.what)", label: "  \(sign)", labelWidth: 4)
            }
    }
}

/// A finding as an object; keys are only ever added, and those without a value are null.
struct DiagnosisObject: Encodable {
    private enum Key: String, CodingKey {
        case id, severity, subject, what, why, mend
    }

    private let finding: Diagnosis

    /// Takes a finding.
    init(_ finding: Diagnosis) {
        self.finding = finding
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encode(finding.id, forKey: .id)
        try object.encode(finding.severity.rawValue, forKey: .severity)
        try object.encode(finding.subject, forKey: .subject)
        try object.encode(finding.what, forKey: .what)
        try object.encode(finding.why.isEmpty ? nil : finding.why, forKey: .why)
        try object.encode(finding.mendLine, forKey: .mend)
    }
}
