import MailAuth
import MailSyntax

/// Whether a mail that brings a report comes from whom it names: by what our own MTA has found out.
///
/// Anyone may write to the address of an rua tag, with any reporter's name in the report.
///
/// Trust: the mail is anyone's but for the fields of our own authentication service, as the MTA removes those that come from outside
/// (RFC 8601, section 5).
struct MailAuthentication {
    private let services: [AuthservID]

    /// Believes these services.
    init(_ names: [String]) { services = names.map { AuthservID($0) } }

    /// Why a mail is not counted; nil where DMARC passed for the author that it names.
    func objection(to mail: [UInt8]) -> String? {
        let names = services.map(\.text).joined(separator: ", ")
        guard let split = try? HeaderSection.split(message: mail), !split.header.isEmpty else {
            return "it is no mail, of which \(names) could have said whether DMARC passed"
        }
        let header = split.header
        let authors = AuthorField(of: header).domains
        guard let author = authors.first, authors.count == 1 else {
            return "its From field does not name one domain"
        }
        guard let result = result(in: header) else {
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

    /// What the topmost field of ours that speaks of DMARC says; nil where none does, or it says several things.
    private func result(in header: HeaderSection) -> MethodResult? {
        for position in header.indices(named: .authenticationResults) {
            let field = AuthenticationResults(parsing: header.value(of: position).span)
            guard field.isWellFormed, field.isSupportedVersion,
                services.contains(field.authservID)
            else { continue }
            let results = field.results.filter { $0.method == "dmarc" }
            if let result = results.first { return results.count == 1 ? result : nil }
        }
        return nil
    }
}
