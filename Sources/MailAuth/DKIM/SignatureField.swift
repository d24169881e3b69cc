internal import MailSyntax

/// A DKIM-Signature field, read and found to be in order by itself (RFC 6376, section 3.5).
///
/// All positions are in the octets of the header section.
struct SignatureField {
    /// Which field of the section it is.
    let position: Int
    let algorithm: SignatureAlgorithm
    let canonicalization: CanonicalizationPair
    /// The `d=` tag.
    let domain: DomainName
    /// The domain of the `i=` tag.
    let identityDomain: DomainName
    /// Where the key is published.
    let keyName: DomainName
    /// The `h=` tag.
    let names: [Range<Int>]
    /// The `b=` tag, decoded.
    let signature: [UInt8]
    /// What of the field counts as empty when it is hashed.
    let blank: Range<Int>
    /// The `bh=` tag, decoded.
    let bodyHash: [UInt8]
    /// The `l=` tag.
    let bodyLength: UInt64?
    /// The `t=` tag.
    let timestamp: Int64?
    /// The `x=` tag.
    let expiration: Int64?
    /// The `z=` tag.
    let copies: Range<Int>?
}

extension SignatureField {
    /// What the signature's times say against it (RFC 6376, section 3.5, tags "t" and "x").
    func timeObstacle(now: Int64, drift: Int64) -> DKIMReason? {
        if let timestamp, timestamp > now &+ drift {
            return .fromTheFuture(seconds: timestamp &- now)
        }
        if let expiration, expiration < now &- drift {
            return .expired(seconds: now &- expiration)
        }
        return nil
    }
}

/// What a signature says of itself, for reports, as far as it can be read.
struct SignatureClaims {
    var domain: DomainName?
    var selector: DomainName?
    var identity: String?
    var algorithm: SignatureAlgorithm?
    /// The text of `b=` without white space.
    var signatureText = ""
}
