public import MailSyntax

/// What was found about one signature.
public struct DKIMResult: Sendable {
    /// Why the result is what it is; `status` follows from it.
    public let reason: DKIMReason
    /// The `d=` tag, if it could be read.
    public let domain: DomainName?
    /// The `s=` tag, if it could be read.
    public let selector: DomainName?
    /// The `i=` tag decoded, or "@" and the domain where there is none.
    public let identity: String?
    /// The `a=` tag, if we know the algorithm.
    public let algorithm: SignatureAlgorithm?
    /// The size of the key in bits, where one was found.
    public internal(set) var keyBits: Int?
    /// Whether DNSSEC vouches for the key.
    public internal(set) var isKeySecure = false
    /// Whether the domain says that it is only testing DKIM (`t=y`): the message is then to be
    /// treated as unsigned, whatever the result.
    public internal(set) var isTesting = false
    /// The beginning of `b=` that tells this signature from the others, for `header.b` (RFC 6008).
    public internal(set) var signaturePrefix: String
    /// Which field of the header section the signature is.
    public let fieldPosition: Int

    /// The result word.
    public var status: DKIMStatus { reason.status }
}

/// What was found about all signatures of a message.
public struct DKIMOutcome: Sendable {
    /// A result for each signature that was looked at, from the top of the message down.
    public let results: [DKIMResult]
    /// How many more signatures there are than we look at.
    public let ignoredSignatures: Int

    /// The one word for the message: pass where any signature passed, none without signatures, else
    /// the result of the first signature.
    public var status: DKIMStatus {
        if results.contains(where: { $0.status == .pass }) { return .pass }
        return results.first?.status ?? .none
    }
}

extension DKIMResult {
    /// Cuts the signatures' texts to eight characters, or as many more as tell different ones apart
    /// (RFC 6008, section 4).
    static func shortenPrefixes(_ results: inout [DKIMResult]) {
        guard results.count > 1 else {
            for index in results.indices {
                results[index].signaturePrefix = String(results[index].signaturePrefix.prefix(8))
            }
            return
        }
        let texts = Set(results.map(\.signaturePrefix))
        let longest = texts.map(\.utf8.count).max() ?? 0
        var length = 8
        while length < longest, Set(texts.map { $0.prefix(length) }).count < texts.count {
            length += 4
        }
        for index in results.indices {
            results[index].signaturePrefix = String(results[index].signaturePrefix.prefix(length))
        }
    }
}
