extension MethodResult {
    /// An SPF check's result as Authentication-Results has it (RFC 8601, section 2.7.2).
    ///
    /// A null reverse-path has no mailbox to name: there the HELO name stands for it.
    public static func spf(_ outcome: SPFOutcome) -> MethodResult {
        let request = outcome.request
        let from = request.envelopeFrom ?? []
        let isHELO = request.identity == .helo || from.isEmpty
        return .spf(
            outcome.result.rawValue, comment: outcome.sentence,
            mailFrom: isHELO ? nil : String(decoding: from, as: UTF8.self),
            helo: isHELO ? String(decoding: request.helo, as: UTF8.self) : nil)
    }
}
