public import Configuration
package import MailAuth
internal import MailSyntax

/// Domains and addresses that get no reports (NoReports).
public struct ReportExclusions: Sendable {
    private let set: DataSet

    /// The words for a destination that is left out.
    static let reason = "NoReports names it"

    /// The entries of a data set: addresses, and domains of policies and of addresses.
    public init(_ set: DataSet = DataSet()) { self.set = set }

    /// Whether reports about a policy domain are not to go to an address.
    package func contains(_ domain: String, _ address: DMARCReportURI) -> Bool {
        guard !set.isEmpty else { return false }
        if let domain = try? DomainName(domain),
            !set.entries(localPart: "", domain: domain).isEmpty
        {
            return true
        }
        guard let mailbox = address.mailbox else { return false }
        let local = String(decoding: mailbox.localPart, as: UTF8.self)
        return !set.entries(localPart: local, domain: mailbox.domain).isEmpty
    }
}
