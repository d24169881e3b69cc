import MailAuth
import MailSyntax
import PolicyProtocol

/// A kind of header field that tells a result (Header_Type).
enum ResultField: Hashable, Sendable {
    /// Received-SPF (RFC 7208, section 9.1).
    case receivedSPF
    /// Authentication-Results (RFC 8601).
    case authenticationResults

    /// The field that tells a finding, on one line; and what the log says of it, in the form that readers of
    /// policyd-spf's log know.
    func telling(
        _ finding: Finding, authservID: String
    ) -> (action: PolicyAction, logText: String) {
        switch self {
        case .receivedSPF:
            let (value, logText) = finding.received.texts
            let action = PolicyAction.prepend(field: ReceivedSPF.name, value: value)
            return (action, "prepend " + ReceivedSPF.name + ": " + logText)
        case .authenticationResults:
            let domain = finding.domain?.ascii
            let result = MethodResult.spf(
                finding.result.rawValue, comment: finding.sentence,
                mailFrom: finding.identity == .mailFrom ? domain : nil,
                helo: finding.identity == .helo ? domain : nil)
            return Self.field(result, authservID: authservID)
        }
    }

    /// The Authentication-Results field that says that nothing was checked, and what the log says of it.
    static func telling(
        nothing why: String, _ request: PolicyRequest, authservID: String
    ) -> (action: PolicyAction, logText: String) {
        let sender = SPFRequest.mailFrom(
            request[.sender], helo: request[.helo], client: .v4(0)
        ).domain?.ascii
        let result = MethodResult.spf(
            SPFResult.none.rawValue, comment: why,
            mailFrom: request[.sender].isEmpty ? nil : sender,
            helo: request[.sender].isEmpty ? sender : nil)
        return field(result, authservID: authservID)
    }

    private static func field(
        _ result: MethodResult, authservID: String
    ) -> (action: PolicyAction, logText: String) {
        let folded = AuthenticationResults(AuthservID(authservID), [result]).fieldValue()
        let value = String(decoding: unfolded(folded), as: UTF8.self)
        let name = FieldName.authenticationResults.description
        return (.prepend(field: name, value: value), "prepend \(name): \(value)")
    }

    /// A value on one line, without white space at its ends: each fold becomes a space.
    private static func unfolded(_ value: [UInt8]) -> [UInt8] {
        let flat = value.filter { $0 != 0x0D && $0 != 0x0A }.map { $0 == 0x09 ? 0x20 : $0 }
        return Array(flat.drop { $0 == 0x20 })
    }
}

/// The header field that tells why a message was not checked: for people who trace it, no more.
struct TraceField {
    let reason: Exemptions.Reason
    let request: PolicyRequest
    let receiver: String?

    /// The most octets of a value: the whole field is within a line's 998 octets.
    private static let longestValue = 200

    /// The field's name.
    static let name = "X-Comment"

    /// The field's value, on one line.
    var value: String {
        "\(reason.rawValue) - client-ip=\(text(.clientAddress)); helo=\(text(.helo)); "
            + "envelope-from=\(text(.sender, orElse: "<>")); "
            + "receiver=\(receiver ?? "<UNKNOWN>")"
    }

    private func text(
        _ attribute: PolicyRequest.Attribute, orElse substitute: String = "<UNKNOWN>"
    ) -> String {
        let octets = request[attribute]
        return octets.isEmpty
            ? substitute : PrintableText.visible(octets, limit: Self.longestValue)
    }
}
