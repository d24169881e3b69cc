public import MailSyntax

/// What was found about the chain of a message.
public struct ARCOutcome: Sendable {
    /// Why the status is what it is.
    public let reason: ARCReason
    /// The instance of the oldest message signature that is still valid, 0 if all are (RFC 8617, section
    /// 5.2, step 5); nil where the chain is not valid, or nobody wanted to know.
    public let oldestPass: Int?
    /// The sealers from instance 1 on: as far as their seals could be read, whatever the status.
    public let hops: [ARCHop]

    /// The Chain Validation Status.
    public var status: ARCStatus { reason.status }

    /// The last sealers that are trusted, newest first: up to the first that is not.
    ///
    /// A sealer could have changed all that came before, the message and the chain, within what it seals
    /// now. So the word of one counts only as far as each after it is trusted as well.
    ///
    /// - Parameter isTrusted: whether the administrator trusts a sealing domain.
    /// - Returns: the hops, none if the chain is not valid.
    public func trustedHops(where isTrusted: (DomainName) -> Bool) -> [ARCHop] {
        guard status == .pass else { return [] }
        return Array(hops.reversed().prefix { $0.domain.map(isTrusted) ?? false })
    }

    /// What reports say where the chain decided: status, sealers, and the address that the first sealer had
    /// the message from (RFC 8617, section 7.2.2).
    public var reportComment: String {
        var words = ["arc=\(status.rawValue)"]
        for hop in hops.reversed() {
            guard let domain = hop.domain, let selector = hop.selector else { continue }
            words.append("as[\(hop.instance)].d=\(domain.printable)")
            words.append("as[\(hop.instance)].s=\(selector.printable)")
        }
        let addresses = hops.first?.assessment?.results.compactMap { $0["smtp", "remote-ip"] } ?? []
        if let text = addresses.first, let address = IPAddress(text) {
            words.append("remote-ip[1]=\(address)")
        }
        return words.joined(separator: " ")
    }
}

/// One ARC Set, and who sealed it.
public struct ARCHop: Sendable {
    /// Its place in the chain, from 1.
    public let instance: Int
    /// The sealing domain, the seal's `d=`.
    public let domain: DomainName?
    /// The seal's `s=`.
    public let selector: DomainName?
    /// What the sealer found about the chain before it, the seal's `cv=`.
    public let chainStatus: ARCStatus?
    /// What the sealer found about the message: its ARC-Authentication-Results.
    ///
    /// Nil where the chain is not valid, which "MUST be treated the same as a message with no Authenticated Received Chain".
    public internal(set) var assessment: AuthenticationResults?
}
