import MailAuth
import MailSyntax

/// Everything that was found about one message.
struct Findings: Sendable {
    /// SPF, as it is reported.
    let spf: MethodResult
    /// The domain that SPF is of.
    let spfDomain: DomainName?
    /// DKIM, as it is reported: one result at least.
    let dkim: [MethodResult]
    /// What SPF and DKIM found, as DMARC compares it.
    let identifiers: [DMARCIdentifier]
    /// The ARC chain.
    let arc: ARCOutcome
    /// DMARC.
    let dmarc: DMARCEvaluation
    /// The client's name, where it was looked up.
    let reverse: MethodResult?

    /// The results in the order in which the field has them.
    func methods(client: IPAddress?, disposition: DMARCPolicy) -> [MethodResult] {
        [spf] + dkim
            + [.arc(arc, client: client), .dmarc(dmarc, disposition: disposition)]
            + (reverse.map { [$0] } ?? [])
    }
}
