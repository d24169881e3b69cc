import MailAuth
import MailSyntax

/// The results for one message, as a person reads them and as the header field has them.
///
/// Trust: the message and the DNS are anyone's; reasons and sentences are printable whatever they hold.
struct MessageReport {
    /// What SPF found; nil where the client is not known.
    let spf: SPFOutcome?
    /// What DKIM found.
    let dkim: DKIMOutcome
    /// What was found about the chain.
    let arc: ARCOutcome
    /// What DMARC makes of it.
    let dmarc: DMARCEvaluation
    /// The client's address, where it is known.
    let client: IPAddress?

    /// Whether a result is for want of a DNS answer.
    var isTemporary: Bool {
        spf?.result == .temperror || dmarc.result == .temperror
            || dkim.results.contains { $0.status == .temperror }
    }

    /// The field that a receiver of this name would add, without its name.
    var authenticationResults: AuthenticationResults {
        var methods = spf.map { [MethodResult.spf($0)] } ?? []
        methods += dkim.results.isEmpty ? [.dkim("none")] : dkim.results.map { .dkim($0) }
        methods.append(.arc(arc, client: client))
        methods.append(.dmarc(dmarc, disposition: dmarc.disposition))
        return AuthenticationResults(AuthservID("localhost"), methods)
    }

    /// The results in words.
    var text: String {
        var lines = dkim.results.map { result in
            let name = "s=\(result.selector?.ascii ?? "?") d=\(result.domain?.ascii ?? "?")"
            return "DKIM \(result.status.rawValue) (\(name)): \(result.reason.description)"
        }
        if dkim.results.isEmpty { lines = ["DKIM none: the message has no signature"] }
        if dkim.ignoredSignatures > 0 {
            lines.append("DKIM: \(dkim.ignoredSignatures) more signatures were not looked at")
        }
        if let spf { lines.append("SPF \(spf.result.rawValue): \(spf.sentence)") }
        if arc.status != .none { lines.append("ARC \(arc.status.rawValue): \(arc.reason)") }
        lines.append("DMARC \(dmarc.result.rawValue)\(policy): \(dmarc.sentence)")
        if spf == nil, dmarc.result == .fail {
            lines.append("DMARC was judged without SPF: give --ip, --helo and --from")
        }
        let field = String(decoding: authenticationResults.fieldValue(), as: UTF8.self)
        lines.append("Authentication-Results:\(field)")
        return lines.joined(separator: "\n")
    }

    /// What the author domain asks for, where that is of consequence.
    private var policy: String {
        dmarc.result == .fail ? " (the domain asks for \(dmarc.disposition.rawValue))" : ""
    }
}
