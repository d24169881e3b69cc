internal import MailSyntax

extension MethodResult {
    /// A signature's result as Authentication-Results has it (RFC 8601, section 2.7.1).
    ///
    /// - Parameters:
    ///   - found: what was found.
    ///   - status: the result word, where local policy gives another one.
    ///   - reason: why it is not pass; of what was found, where nil.
    ///   - withoutSignature: whether to leave `header.b` out.
    /// - Returns: the result; its comment tells the key's size, and whether DNSSEC vouches for it.
    public static func dkim(
        _ found: DKIMResult, status: DKIMStatus? = nil, reason: String? = nil,
        withoutSignature: Bool = false
    ) -> MethodResult {
        var comment: String?
        if let bits = found.keyBits {
            let kind = found.algorithm == .ed25519SHA256 ? "Ed25519" : "\(bits)-bit"
            comment = kind + (found.isKeySecure ? " key; secure" : " key; unprotected")
            if found.isTesting { comment? += "; testing" }
        }
        let status = status ?? found.status
        var method = MethodResult.dkim(
            status.rawValue, comment: comment, domain: found.domain?.ascii,
            identity: found.identity, algorithm: found.algorithm?.rawValue,
            selector: found.selector?.ascii,
            signature: withoutSignature || found.signaturePrefix.isEmpty
                ? nil : found.signaturePrefix)
        if status != .pass { method.reason = reason ?? found.reason.description }
        return method
    }
}
