import MailAuth
import MailEvaluation
import MailSyntax

/// What was found about one message: by the evaluation here, or, for SPF and DKIM, by others.
struct DMARCFindings: Sendable {
    /// SPF, as it is reported.
    let spf: MethodResult
    /// The domain that SPF is of.
    let spfDomain: DomainName?
    /// SPF, as it was evaluated here; nil where it was not.
    let spfOutcome: SPFOutcome?
    /// The signatures, as they were evaluated here.
    let signatures: [DKIMResult]
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

    /// Puts together what was found here and what is taken from others; nil where DMARC or ARC was
    /// not evaluated.
    init?(_ found: MessageFindings, _ envelope: Envelope, _ trusted: TrustedResults) {
        guard let arc = found.arc, let dmarc = found.dmarc else { return nil }
        spf = found.spf.map { .spf($0) } ?? trusted.spf ?? .spf("none", comment: trusted.whyNoSPF)
        spfOutcome = found.spf
        signatures = found.dkim?.results ?? []
        spfDomain = envelope.spfRequest?.domain
        let dkim = found.dkim?.results.map { MethodResult.dkim($0) } ?? trusted.dkim
        self.dkim = dkim.isEmpty ? [.dkim("none")] : dkim
        identifiers = found.identifiers
        self.arc = arc
        self.dmarc = dmarc
        reverse = found.reverse.map { .iprev($0) }
    }

    /// The results in the order in which the field has them.
    func methods(client: IPAddress?, disposition: DMARCPolicy) -> [MethodResult] {
        [spf] + dkim
            + [.arc(arc, client: client), .dmarc(dmarc, disposition: disposition)]
            + (reverse.map { [$0] } ?? [])
    }
}
