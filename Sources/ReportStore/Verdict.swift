/// What was found about messages and done with them, without when, from where and under which policy: what a report groups by.
///
/// Trust: texts are bounded and printable, whatever the evaluation had.
public struct Verdict: Hashable, Sendable {
    /// The author domain.
    public let headerFrom: String
    /// The domain of the reverse-path; nil for the null one.
    public let envelopeFrom: String?
    /// The domain of the recipients; nil where they are of several.
    public let envelopeTo: String?
    /// The policy that applied: none, quarantine or reject; empty where there is no policy.
    public let applied: String
    /// DMARC's result word.
    public let result: String
    /// What was done: none, quarantine or reject.
    public let disposition: String
    /// Whether an aligned identifier of DKIM was authenticated.
    public let isDKIMAligned: Bool
    /// Whether an aligned identifier of SPF was authenticated.
    public let isSPFAligned: Bool
    /// The status of the ARC chain.
    public let arc: String
    /// What DKIM found, in the order of RFC 9990, section 3.1.3, and what SPF found.
    public let authentications: [Evaluation.Authentication]
    /// Why less was done than the policy asks for.
    public let overrides: [Evaluation.Override]

    /// The longest name, in octets: more than a domain name or a selector may have.
    static let nameLimit = 255
    /// The most signatures of a message: "A report SHOULD contain no more than 100 signatures for a given "row", in decreasing
    /// priority" (RFC 9990, section 3.1.3).
    static let signatureLimit = 100
    private static let wordLimit = 32
    private static let overrideLimit = 8
    private static let commentLimit = 256

    /// What an evaluation says.
    init(_ evaluation: Evaluation) {
        headerFrom = Self.name(evaluation.headerFrom)
        envelopeFrom = evaluation.envelopeFrom.map(Self.name)
        envelopeTo = evaluation.envelopeTo.map(Self.name)
        applied = Self.word(evaluation.policy?.applied ?? "")
        result = Self.word(evaluation.result)
        disposition = Self.word(evaluation.disposition)
        isDKIMAligned = evaluation.isDKIMAligned
        isSPFAligned = evaluation.isSPFAligned
        arc = Self.word(evaluation.arc)
        authentications = (Self.signatures(of: evaluation) + Self.senders(of: evaluation)).map {
            Evaluation.Authentication(
                mechanism: Self.word($0.mechanism), domain: Self.name($0.domain),
                selector: $0.selector.map(Self.name), scope: $0.scope.map(Self.word),
                result: Self.word($0.result))
        }
        overrides = evaluation.overrides.prefix(Self.overrideLimit).map {
            Evaluation.Override(
                kind: Self.word($0.kind),
                comment: BoundedText.line($0.comment, atMost: Self.commentLimit))
        }
    }

    /// What the store has.
    init(
        headerFrom: String, envelopeFrom: String?, envelopeTo: String?, applied: String,
        result: String, disposition: String, isDKIMAligned: Bool, isSPFAligned: Bool, arc: String,
        authentications: [Evaluation.Authentication], overrides: [Evaluation.Override]
    ) {
        self.headerFrom = headerFrom
        self.envelopeFrom = envelopeFrom
        self.envelopeTo = envelopeTo
        self.applied = applied
        self.result = result
        self.disposition = disposition
        self.isDKIMAligned = isDKIMAligned
        self.isSPFAligned = isSPFAligned
        self.arc = arc
        self.authentications = authentications
        self.overrides = overrides
    }

    /// The one result of SPF that a report has room for.
    private static func senders(of evaluation: Evaluation) -> [Evaluation.Authentication] {
        evaluation.authentications.first { $0.mechanism == "spf" }.map { [$0] } ?? []
    }

    /// The signatures, the most telling first (RFC 9990, section 3.1.3), each kind in the order of the message.
    private static func signatures(of evaluation: Evaluation) -> [Evaluation.Authentication] {
        let signatures = evaluation.authentications.filter { $0.mechanism == "dkim" }
        guard signatures.count > 1 else { return signatures }
        let ranked = signatures.enumerated().map { (rank($1, evaluation), $0, $1) }
        return ranked.sorted { ($0.0, $0.1) < ($1.0, $1.1) }.prefix(signatureLimit).map(\.2)
    }

    /// The place of a signature: strictly aligned, aligned, any other that passes, all others.
    ///
    /// Names below the policy's domain count as aligned: it is the author's organizational domain, or the author domain itself.
    private static func rank(
        _ signature: Evaluation.Authentication, _ evaluation: Evaluation
    ) -> Int {
        guard signature.result == "pass" else { return 3 }
        if signature.domain == evaluation.headerFrom { return 0 }
        guard let domain = evaluation.policy?.domain else { return 2 }
        return signature.domain == domain || signature.domain.hasSuffix(".\(domain)") ? 1 : 2
    }

    private static func name(_ text: String) -> String {
        BoundedText.line(text, atMost: nameLimit)
    }

    private static func word(_ text: String) -> String {
        BoundedText.line(text, atMost: wordLimit)
    }
}
