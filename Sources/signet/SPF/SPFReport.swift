import MailAuth
import MailDNS
import MailSyntax

/// The outcome of an SPF check, for people and for programs.
///
/// Trust: records are from anyone's DNS; what a terminal could obey is shown as "?".
struct SPFReport {
    let outcome: SPFOutcome

    init(_ outcome: SPFOutcome) {
        self.outcome = outcome
    }

    /// The text form: the result's word alone, a row for each thing to know, and the records that decide.
    ///
    /// - Parameters:
    ///   - terminal: what the text is written to.
    ///   - showsField: whether the header field is added that signet-spf would write.
    /// - Returns: the lines, without the last line feed.
    func text(for terminal: Terminal = .plain, showsField: Bool = false) -> String {
        var lines = [word(terminal), ""] + terminal.rows(rows)
        if let visit = outcome.visit {
            lines += [""] + tree(visit, terminal, indent: "")
        }
        if showsField { lines += ["", "\(ReceivedSPF.name): \(ReceivedSPF(outcome).folded)"] }
        return lines.joined(separator: "\n")
    }

    private func word(_ terminal: Terminal) -> String {
        let colour: Terminal.Colour =
            switch outcome.result {
            case .pass: .green
            case .fail, .permerror: .red
            case .softfail, .neutral, .temperror, .none: .yellow
            }
        return terminal.coloured(outcome.result.rawValue, colour)
    }

    private var rows: [(label: String, text: String)] {
        let limits = SPFLimits()
        var rows = [("Reason", outcome.sentence), ("Checked", subject)]
        if let explanation = outcome.explanation {
            let domain = outcome.domain.map { printable($0.ascii) } ?? ""
            rows.append(("Explanation", "\(domain) says: \(printable(explanation))"))
        }
        rows.append(
            (
                "Lookups",
                "\(outcome.lookups) of \(limits.terms), "
                    + "\(outcome.voidLookups) of \(limits.voidLookups) void"
            ))
        return rows
    }

    /// What of the client was checked.
    private var subject: String {
        let request = outcome.request
        let name = printable(request.senderDomain)
        switch request.identity {
        case .helo: return "the HELO name \(name)"
        case .mailFrom:
            let sender = printable(request.envelopeFrom ?? [])
            return sender.isEmpty
                ? "postmaster@\(name), for the null sender" : "the envelope sender \(sender)"
        }
    }

    /// A record, what of it matched, and the records that it led to.
    private func tree(_ visit: SPFVisit, _ terminal: Terminal, indent: String) -> [String] {
        let domain = printable(visit.domain.ascii)
        var title = visit.term.map { printable($0) } ?? domain
        if !title.hasSuffix(domain) { title += " (\(domain))" }
        let inner = indent + "    "
        let wrapped = { (text: String, hanging: Int) in
            terminal.wrapped(text, label: "", labelWidth: inner.count, hanging: hanging)
        }
        var lines = ["\(indent)\(title): \(visit.result.rawValue)"]
        if let record = visit.record { lines += wrapped(printable(record.text), 2) }
        if let matched = visit.matched, let record = visit.record {
            lines.append("\(inner)matched \(printable(record.text(of: matched)))")
        } else if case .problem(let problem) = visit.ending {
            lines += wrapped("\(problem)", 2)
        }
        return lines + visit.nested.flatMap { tree($0, terminal, indent: indent + "  ") }
    }

    private func printable(_ text: String) -> String { printable(text.utf8) }

    /// A sender of internationalized mail (RFC 6531) stays as it is.
    private func printable(_ octets: some Collection<UInt8>) -> String {
        String(String.UnicodeScalarView(VisibleText.scalars(octets)))
    }
}

/// The JSON form; keys are only ever added, and those without a value are null.
extension SPFReport: Encodable {
    private enum CodingKeys: String, CodingKey {
        case result, domain, identity, mechanism, explanation, reason, lookups, questions
        case mechanismDomain = "mechanism_domain"
        case voidLookups = "void_lookups"
        case receivedSPF = "received_spf"
    }

    func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: CodingKeys.self)
        try object.encode(outcome.result.rawValue, forKey: .result)
        try object.encode(outcome.domain?.ascii, forKey: .domain)
        try object.encode(outcome.request.identity.rawValue, forKey: .identity)
        try object.encode(outcome.decision?.mechanism, forKey: .mechanism)
        try object.encode(outcome.decision?.domain.ascii, forKey: .mechanismDomain)
        try object.encode(outcome.explanation, forKey: .explanation)
        try object.encode(outcome.sentence, forKey: .reason)
        try object.encode(outcome.lookups, forKey: .lookups)
        try object.encode(outcome.voidLookups, forKey: .voidLookups)
        try object.encode(
            outcome.questions.map { "\($0.name) \($0.type.mnemonic)" }, forKey: .questions)
        try object.encode(ReceivedSPF(outcome).unfolded, forKey: .receivedSPF)
    }
}
