package import MailAuth
internal import MailSyntax
package import ReportStore

/// Where a policy record asks for aggregate reports.
package enum ReportDestinations {
    /// "up to the Receiver's limits on supported URIs" (RFC 9990, section 3.5).
    package static let limit = 10

    /// The mail address of a URI; nil where it has none.
    package static func mailbox(of uri: String) -> String? {
        DMARCReportURI(parsing: Array(uri.utf8)[...])?.mailbox?.address
    }

    /// The mail addresses, each once, in the order of the record; malformed URIs and other schemes
    /// are passed over.
    package static func addresses(of policy: Evaluation.Policy) -> [DMARCReportURI] {
        var found: [DMARCReportURI] = []
        for text in policy.reportAddresses {
            guard found.count < limit, let uri = DMARCReportURI(parsing: Array(text.utf8)[...]),
                let mailbox = uri.mailbox, !found.contains(where: { $0.mailbox == mailbox })
            else { continue }
            found.append(uri)
        }
        return found
    }
}
