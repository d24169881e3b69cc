public import MailSyntax

extension MethodResult {
    /// The status of the chain as Authentication-Results has it (RFC 8617, section 6).
    ///
    /// - Parameters:
    ///   - outcome: what was found.
    ///   - client: the address that the message came from.
    /// - Returns: the result; its comment names the sealers, newest first, or says what is wrong.
    public static func arc(_ outcome: ARCOutcome, client: IPAddress? = nil) -> MethodResult {
        let comment: String?
        switch outcome.status {
        case .none: comment = nil
        case .fail: comment = outcome.reason.description
        case .pass:
            let sealers = outcome.hops.reversed().prefix(5).map {
                "i=\($0.instance) \($0.domain?.ascii ?? "?")"
            }
            comment = "sealed by " + sealers.joined(separator: ", ")
        }
        return .arc(
            outcome.status.rawValue, comment: comment, oldestPass: outcome.oldestPass,
            remoteIP: outcome.status == .none ? nil : client?.description)
    }
}
