import MailAuth
import MailSyntax

/// Whether a mail that brings a report comes from the domain of its author: by what our own MTA has found out.
///
/// Anyone may write to the address of an rua tag. Whose name is in the report is another matter: large reporters send from other
/// domains than they name, so that nothing can be asked of it.
///
/// Trust: the mail is anyone's but for the fields of our own authentication service, as the MTA removes those that come from outside
/// (RFC 8601, section 5).
struct MailAuthentication {
    private let services: [AuthservID]

    /// Believes these services.
    init(_ names: [String]) { services = names.map { AuthservID($0) } }

    /// Why a mail is not counted; nil where DMARC passed for the author that it names.
    func objection(to mail: ImportSource.Item) -> String? {
        // What looks like a mail may be a part of another one's text, fields of ours included.
        guard !mail.isFromMbox else {
            return
                "it is in a mbox, where nobody knows for sure where a mail begins: give a Maildir"
        }
        let names = services.map(\.text).joined(separator: ", ")
        guard let split = try? HeaderSection.split(message: mail.octets), !split.header.isEmpty
        else {
            return "it is no mail, of which \(names) could have said whether DMARC passed"
        }
        let header = split.header
        // Readers differ over which of several counts, and the service may have looked at another one.
        let fields = header.indices(named: .from).count
        guard fields <= 1 else {
            return "it has \(fields) From fields, and one is allowed (RFC 5322, section 3.6)"
        }
        let from = AuthorField(of: header)
        guard let author = from.domains.first, from.domains.count == 1,
            from.doubtfulDomains.isEmpty
        else {
            return "its From field does not name one domain"
        }
        let result: MethodResult
        switch self.result(in: header) {
        case .found(let found): result = found
        case .unreadable:
            return "an Authentication-Results field of \(names) cannot be read in one way"
        case .none:
            return "\(names) does not say in an Authentication-Results field whether DMARC passed"
        }
        guard result.result == "pass" else {
            return "DMARC of the mail from \(author) did not pass: dmarc=\(result.result)"
        }
        let said = result.properties.first { $0.ptype == "header" && $0.name == "from" }?.value
        guard let said, let domain = try? DomainName(said.split(separator: "@").last ?? ""),
            domain == author
        else {
            return "DMARC passed for \(said ?? "nobody"), and the mail is from \(author)"
        }
        return nil
    }

    private enum Finding {
        case found(MethodResult)
        case none
        case unreadable
    }

    /// What the topmost field of ours that speaks of DMARC says.
    ///
    /// One that cannot be read, or says several things, is not passed over: what is below it may be older.
    private func result(in header: HeaderSection) -> Finding {
        for position in header.indices(named: .authenticationResults) {
            let value = header.value(of: position)
            guard services.contains(where: { AuthenticationResults.claims(value.span, $0) }) else {
                continue
            }
            let field = AuthenticationResults(parsing: value.span)
            // A queue id may follow the name (AuthservIDWithJobID).
            let name = AuthservID(String(field.authservID.text.prefix { $0 != "/" }))
            guard field.isWellFormed, field.isSupportedVersion, services.contains(name) else {
                return .unreadable
            }
            let results = field.results.filter { $0.method == "dmarc" }
            guard let result = results.first else { continue }
            return results.count == 1 ? .found(result) : .unreadable
        }
        return .none
    }
}
