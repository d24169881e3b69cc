/// A fault that the doctor knows: its name, its weight, and why it matters.
package struct DiagnosisKind: Hashable, Sendable {
    /// Stable, dotted, from the general to the particular.
    package let id: String
    /// How much it weighs.
    package let severity: Diagnosis.Severity
    /// Why it matters, in a sentence or two for a postmaster.
    package let why: String

    init(_ id: String, _ severity: Diagnosis.Severity, _ why: String) {
        self.id = id
        self.severity = severity
        self.why = why
    }

    /// Every fault, those that hurt most first.
    package static let ranking: [DiagnosisKind] =
        postfixRanking + [answerFailed] + domainRanking + hostNameRanking + signingRanking
        + receivingRanking + localWarningRanking
}
