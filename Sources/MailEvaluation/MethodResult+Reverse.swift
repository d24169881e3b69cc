package import MailAuth
internal import MailSyntax

extension MethodResult {
    /// The look-up of the client's name as Authentication-Results has it (RFC 8601, section 2.7.3).
    package static func iprev(_ outcome: ReverseOutcome) -> MethodResult {
        let client = outcome.client.description
        let comment = outcome.status == .permerror ? "no name for \(client)" : outcome.name?.ascii
        return .iprev(outcome.status.rawValue, comment: comment, address: client)
    }
}
