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

    /// The text form: the result's word, the reason, the header field, the tree of records.
    var text: String {
        var lines = [outcome.result.rawValue, outcome.sentence]
        if let explanation = outcome.explanation {
            lines.append("\(outcome.domain?.ascii ?? "") explains: \(explanation)")
        }
        lines.append("\(ReceivedSPF.name): \(ReceivedSPF(outcome).folded)")
        if let visit = outcome.visit {
            lines.append("")
            lines += tree(visit, indent: "")
        }
        let limits = SPFLimits()
        lines.append("")
        lines.append(
            "\(outcome.lookups) of \(limits.terms) lookups, "
                + "\(outcome.voidLookups) of \(limits.voidLookups) void")
        return lines.joined(separator: "\n")
    }

    private func tree(_ visit: SPFVisit, indent: String) -> [String] {
        let term = visit.term.map { "\(printable($0)): " } ?? ""
        var lines = ["\(indent)\(term)\(visit.domain): \(visit.result.rawValue)"]
        if let record = visit.record { lines.append("\(indent)    \(printable(record.text))") }
        if let matched = visit.matched, let record = visit.record {
            lines.append("\(indent)    matched \(printable(record.text(of: matched)))")
        } else if case .problem(let problem) = visit.ending {
            lines.append("\(indent)    \(problem)")
        }
        return lines + visit.nested.flatMap { tree($0, indent: indent + "  ") }
    }

    private func printable(_ text: String) -> String {
        String(decoding: text.utf8.map { 0x20...0x7E ~= $0 ? $0 : 0x3F }, as: UTF8.self)
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
            outcome.questions.map { "\($0.name) \("\($0.type)".uppercased())" }, forKey: .questions)
        try object.encode(ReceivedSPF(outcome).unfolded, forKey: .receivedSPF)
    }
}
