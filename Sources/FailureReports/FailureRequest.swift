package import MailAuth
internal import MailSyntax

/// That a domain asks for a report about a message: why, and where it is to go.
package struct FailureRequest: Sendable {
    /// Why.
    package let trigger: FailureTrigger
    /// The domain that published the record; nil where nobody asks but the administrator.
    package let policyDomain: String?
    /// The addresses of "ruf", neither verified nor filtered.
    package let addresses: [DMARCReportURI]

    /// "up to the Receiver's limits on supported URIs" (RFC 9990, section 3.5).
    private static let mostAddresses = 10

    /// Looks whether a report is wanted; nil where it is not.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - onNone: whether failures under "p=none" are reported.
    ///   - always: whether the administrator wants to see every failure of DMARC.
    package init?(_ message: FailedMessage, onNone: Bool, always: Bool) {
        guard let policy = message.author.policy, onNone || policy.published != .none else {
            return nil
        }
        let record = policy.record
        var addresses: [DMARCReportURI] = []
        // "Report generators MUST NOT consider "ruf" tags in DMARC Policy Records having a "psd=y" tag" (RFC 9991, section 2).
        for uri in record.publicSuffix == .yes ? [] : record.failureReportURIs {
            guard addresses.count < Self.mostAddresses, let mailbox = uri.mailbox,
                !addresses.contains(where: { $0.mailbox == mailbox })
            else { continue }
            addresses.append(uri)
        }
        // The tag's "content MUST be ignored if a "ruf" tag is not also specified" (RFC 9989, section 4.7).
        let asked =
            addresses.isEmpty
            ? nil
            : FailureTrigger(
                record.failureOptions, message.author, spf: message.spf?.result,
                signatures: message.signatures)
        if let asked {
            trigger = asked
            policyDomain = policy.domain.ascii
            self.addresses = addresses
        } else if always, message.author.result == .fail {
            trigger = .dmarc
            policyDomain = nil
            self.addresses = []
        } else {
            return nil
        }
    }
}
