import DaemonKit
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
    /// For signatures whose body was only added to, by the places of their fields: the first line that was added.
    let additions: [Int: Int]
    /// For signatures whose header fields do not verify, by the places of their fields: what would have to be otherwise.
    let conditions: [Int: String]
    /// What large receivers ask of senders, and whether it is there.
    let requirements: [SenderRequirement]

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

    /// Whether DMARC failed only as far as DKIM goes: SPF, which might have passed, could not be evaluated.
    var lacksClient: Bool { spf == nil && dmarc.result == .fail }

    /// The exit status that tells the verdict: 0 for pass and none, 1 for fail, 2 for temperror and where it is unknown for want of
    /// the client's address, 3 for permerror.
    var exitStatus: Int32 {
        switch dmarc.result {
        case .pass, .none: 0
        case .fail: lacksClient ? 2 : 1
        case .temperror: 2
        case .permerror: 3
        }
    }

    /// What limits the results.
    var caveats: [String] {
        guard spf == nil else { return [] }
        let caveat = "SPF was not evaluated: it needs the client's address"
        return lacksClient
            ? [
                caveat,
                "DMARC is unknown without it: no DKIM signature of an aligned domain passes",
            ]
            : [caveat]
    }

    /// The results in words: the verdict, then a row for each method, aligned and wrapped for the terminal.
    ///
    /// - Parameters:
    ///   - terminal: what the text is written to.
    ///   - showsField: whether the header field is added that a receiver would write.
    /// - Returns: the lines, without the last line feed.
    func text(for terminal: Terminal = .plain, showsField: Bool = false) -> String {
        var lines = verdict(terminal) + [""] + terminal.rows(rows)
        lines += ["", "What large receivers ask of senders:"]
        for requirement in requirements {
            let sign =
                switch requirement.result {
                case .ok: "✔"
                case .missing: "✘"
                case .unknown: "–"
                }
            lines += terminal.wrapped(requirement.what, label: "  \(sign)", labelWidth: 4)
        }
        if showsField {
            let field = String(decoding: authenticationResults.fieldValue(), as: UTF8.self)
            lines += ["", "Authentication-Results:\(field)"]
        }
        return lines.joined(separator: "\n")
    }

    /// The first line, such as `✔ DMARC pass: example.org, by DKIM`.
    private func verdict(_ terminal: Terminal) -> [String] {
        let domain = dmarc.deciding.map { ": \($0.domain.ascii)" } ?? ""
        guard !lacksClient else {
            return terminal.verdict(
                "? DMARC unknown without the client's address\(domain), DKIM does not pass", .yellow
            )
        }
        switch dmarc.result {
        case .pass:
            return terminal.verdict("✔ DMARC pass\(domain)\(passedBy)", .green)
        case .fail:
            let wish = ", the domain asks for \(dmarc.disposition.rawValue)"
            return terminal.verdict("✘ DMARC fail\(domain)\(wish)", .red)
        default:
            let subject = domain.isEmpty ? ": \(dmarc.sentence)" : domain
            return terminal.verdict("? DMARC \(dmarc.result.rawValue)\(subject)", .yellow)
        }
    }

    /// Where text was added to a signed body, or what was done to a header field, as lists and scanners do.
    private func addition(_ result: DKIMResult) -> String {
        if let line = additions[result.fieldPosition] {
            return ": text was added at its end, from line \(line) on"
        }
        return conditions[result.fieldPosition].map {
            "; it would verify if \(LogText.safe($0))"
        } ?? ""
    }

    /// By what the author domain passed.
    private var passedBy: String {
        guard let author = dmarc.deciding else { return "" }
        let names = [
            author.isAligned(.dkim) ? "DKIM" : nil, author.isAligned(.spf) ? "SPF" : nil,
        ].compactMap(\.self)
        return names.isEmpty ? "" : ", by \(names.joined(separator: " and "))"
    }

    /// The label and the explanation of each result.
    private var rows: [(label: String, text: String)] {
        var rows = dkim.results.map { result in
            let name = "s=\(result.selector?.ascii ?? "?") d=\(result.domain?.ascii ?? "?")"
            return (
                label: "DKIM \(result.status.rawValue)",
                text: "\(name): \(result.reason.description)\(addition(result))"
            )
        }
        if rows.isEmpty { rows = [("DKIM none", "the message has no signature")] }
        if dkim.ignoredSignatures > 0 {
            rows.append(("DKIM", "\(dkim.ignoredSignatures) more signatures were not evaluated"))
        }
        if let spf {
            rows.append(("SPF \(spf.result.rawValue)", spf.sentence))
        } else {
            rows.append(("SPF unknown", "give --ip, --helo and --from, or --from-trace"))
        }
        if arc.status != .none { rows.append(("ARC \(arc.status.rawValue)", "\(arc.reason)")) }
        rows.append(
            lacksClient
                ? ("DMARC unknown", "no DKIM signature of an aligned domain passes; SPF may")
                : ("DMARC \(dmarc.result.rawValue)", dmarc.sentence))
        return rows
    }
}
