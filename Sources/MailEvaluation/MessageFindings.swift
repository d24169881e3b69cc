package import MailAuth

/// Everything that was found about one message.
package struct MessageFindings: Sendable {
    /// What SPF found; nil where it was not evaluated, or there was nothing to check.
    package let spf: SPFOutcome?
    /// What DKIM found; nil where it was not evaluated.
    package let dkim: DKIMOutcome?
    /// What SPF and DKIM found, or others reported, as DMARC compares it.
    package let identifiers: [DMARCIdentifier]
    /// What was found about the chain; nil where it was not validated.
    package let arc: ARCOutcome?
    /// What DMARC came to; nil where it was not evaluated.
    package let dmarc: DMARCEvaluation?
    /// The client's name; nil where it was not looked up.
    package let reverse: ReverseOutcome?
}

/// What others have found in place of an evaluation of our own, as DMARC compares it.
package struct ReportedIdentifiers: Sendable {
    /// What SPF found for the reverse-path.
    package var spf: DMARCIdentifier?
    /// What DKIM found for each signature.
    package var dkim: [DMARCIdentifier] = []

    /// None.
    package init() {}
}
