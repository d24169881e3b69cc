internal import MailSyntax

/// An ARC-Seal field whose tags are in order (RFC 8617, section 4.1.3).
struct ARCSealField {
    /// Which field of the section it is.
    let position: Int
    let algorithm: SignatureAlgorithm
    let domain: DomainName
    let selector: DomainName
    /// Where the key is published.
    let keyName: DomainName
    /// The `b=` tag, decoded.
    let signature: [UInt8]
    /// What of the field counts as empty when it is hashed.
    let blank: Range<Int>
    /// The `cv=` tag.
    let chainStatus: ARCStatus
    /// Whether there is an `h=` tag, which there must not be.
    let hasFieldList: Bool
}

extension SignatureFieldParser {
    /// Reads an ARC-Seal field: "the only supported tags are "i", and "a", "b", "d", "s", and "t" from
    /// [RFC6376]", and "cv".
    ///
    /// - Returns: the field; `claims` is filled as far as it goes.
    mutating func parseSeal() throws(SignatureFieldError) -> ARCSealField {
        try readTags()
        readClaims()
        let algorithm = try readAlgorithm()
        let (domain, keyName) = try readKeyName()
        guard let selector = claims.selector else { throw .malformedTag("s") }
        let signature = try base64(.b)
        guard !signature.isEmpty else { throw .malformedTag("b") }
        _ = try number(.t, digits: 12)
        let word = String(decoding: try required(.cv).asciiLowercased, as: UTF8.self)
        guard let status = ARCStatus(rawValue: word) else { throw .malformedTag("cv") }
        return ARCSealField(
            position: position, algorithm: algorithm, domain: domain, selector: selector,
            keyName: keyName, signature: signature, blank: blank, chainStatus: status,
            hasFieldList: value(.h) != nil)
    }
}
