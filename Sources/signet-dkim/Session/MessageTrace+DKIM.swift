import Configuration
import FlightRecord
import MailAuth
import MailSyntax
import Observation

extension MessageTrace {
    /// Says what was planned with a message, and which line of the tables decided.
    func tell(_ plan: MessagePlan, _ configuration: DKIMConfiguration) {
        let isUnsigned = plan.notSigned != nil && !plan.isFromOutside
        say { said in
            if isUnsigned { said.outcome = .unsigned }
            said.reason = said.reason ?? plan.impersonation ?? (isUnsigned ? plan.notSigned : nil)
            if isUnsigned, !configuration.keys.isEmpty { said.unsigned = plan.unsigned?.rawValue }
        }
        guard let mailbox = plan.mailbox else { return }
        let isMissing = isUnsigned && plan.unsigned == .key
        let keys = configuration.keys
        if isMissing, let words = SigningRule.reason(mailbox, keys) { say { $0.reason = words } }
        add { entry in entry.add(.rule, SigningRule.place(mailbox, keys)) }
    }

    /// Says what was found about each signature.
    func tell(_ verdicts: [SignaturePolicy.Verdict]) {
        add { entry in
            for verdict in verdicts.prefix(20) {
                let result = verdict.result
                let (domain, selector) = (
                    result.domain?.ascii ?? "?", result.selector?.ascii ?? "?"
                )
                let why = verdict.reason.map { " (\($0))" } ?? ""
                entry.add(
                    .signature,
                    "d=\(domain) s=\(selector) a=\(result.algorithm?.rawValue ?? "?"): "
                        + "\(verdict.status.rawValue)\(why)")
                entry.add(.result, "dkim=\(verdict.status.rawValue) \(domain)")
            }
            if verdicts.isEmpty { entry.add(.result, "dkim=none") }
        }
    }
}

/// Which line of the configuration decides whether a sender's mail is signed, in words.
enum SigningRule {
    /// The most lines that are looked through for the one that comes nearest.
    private static let mostLines = 5_000

    /// Why no key is meant for a sender; nil where the log's words say it as well.
    static func reason(_ sender: Mailbox, _ keys: KeyBook) -> String? {
        switch keys.plan {
        case .tables(let table, _) where !table.serves(sender):
            "From is \(sender.domain) and no SigningTable line covers it"
        case .domains(_, _, _) where !keys.servesDomain(of: sender):
            "From is \(sender.domain) and Domain does not list it"
        case .nothing, .tables, .domains: nil
        }
    }

    /// The line that covers a sender, or the one that comes nearest.
    static func place(_ sender: Mailbox, _ keys: KeyBook) -> String? {
        let set: DataSet
        switch keys.plan {
        case .nothing: return nil
        case .domains(let domains, _, _): set = domains
        case .tables(let table, _):
            let local = String(decoding: sender.localPart, as: UTF8.self)
            if let entry = table.set.entries(localPart: local, domain: sender.domain).first {
                return "\(DirectivePlaces.short(entry.location)) covers \(entry.key)"
            }
            set = table.set
        }
        return nearest(sender.domain, set).map { entry in
            "\(DirectivePlaces.short(entry.location)) covers \(entry.key) only"
        }
    }

    /// The entry of a related domain that is most like a sender's.
    private static func nearest(_ domain: DomainName, _ set: DataSet) -> DataSet.Entry? {
        var best: (entry: DataSet.Entry, labels: Int)?
        for entry in set.entries.prefix(mostLines) {
            let text = entry.key.split(separator: "@").last.map(String.init) ?? entry.key
            guard
                let name = try? DomainName(text.hasPrefix("*.") ? String(text.dropFirst(2)) : text),
                name.isEqualOrSubdomain(of: domain) || domain.isEqualOrSubdomain(of: name)
            else { continue }
            if best.map({ name.labelCount > $0.labels }) ?? true { best = (entry, name.labelCount) }
        }
        return best?.entry
    }
}
