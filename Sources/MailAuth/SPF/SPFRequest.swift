public import MailSyntax

/// Whose authorization is checked (RFC 7208, sections 2.3 and 2.4).
///
/// The raw value is the word that Received-SPF uses for it.
public enum SPFIdentity: String, Hashable, Sendable {
    /// The name in the HELO or EHLO command.
    case helo
    /// The reverse-path of the MAIL command; where that is null, postmaster at the HELO name.
    case mailFrom = "mailfrom"
}

/// The arguments of one check: check_host()'s `<ip>`, `<domain>` and `<sender>`
/// (RFC 7208, section 4.1), and the HELO name.
///
/// Trust: HELO and sender are what the client said; nothing is assumed of them.
///
/// A class, as evaluation, outcome and record hold on to it.
public final class SPFRequest: Sendable {
    /// Whose authorization is checked.
    public let identity: SPFIdentity
    /// The client's address; of an IPv4-mapped IPv6 address, the IPv4 address (RFC 7208, section
    /// 5).
    public let client: IPAddress
    /// The HELO name as the client gave it, no longer than `longestText`.
    public let helo: [UInt8]
    /// The reverse-path as given, without angle brackets; empty where it is null, nil where it is
    /// not known.
    public let envelopeFrom: [UInt8]?
    /// The local part of `<sender>`; "postmaster" where there is none (RFC 7208, section 4.3).
    public let localPart: [UInt8]
    /// The domain of `<sender>` as text: U-labels have become A-labels (RFC 8616, section 4),
    /// anything else is as it was given.
    public let senderDomain: [UInt8]
    /// The `<domain>` to start with; nil where there is nothing that could have a policy.
    public let domain: DomainName?

    /// How many octets of the HELO name, of the local part and of the domain are kept: more than
    /// SMTP allows (RFC 5321, section 4.5.3.1), so that only nonsense is cut, and macros cannot
    /// grow without bound.
    public static let longestText = 512

    /// A check of the HELO identity: `<sender>` is postmaster at the HELO name.
    ///
    /// - Parameters:
    ///   - name: what the client said in HELO or EHLO.
    ///   - client: the client's address.
    ///   - envelopeFrom: the reverse-path if it is known by now, for the record only.
    /// - Returns: the request.
    public static func helo(
        _ name: [UInt8], client: IPAddress, envelopeFrom: [UInt8]? = nil
    ) -> SPFRequest {
        let helo = withALabels(name)
        return SPFRequest(
            identity: .helo, client: client, helo: helo, envelopeFrom: envelopeFrom,
            localPart: postmaster, senderDomain: helo)
    }

    /// A check of the MAIL FROM identity.
    ///
    /// - Parameters:
    ///   - reversePath: the address, with or without angle brackets, empty for the null
    ///     reverse-path. A quoted local part should have lost its quotes.
    ///   - helo: what the client said in HELO or EHLO.
    ///   - client: the client's address.
    /// - Returns: the request.
    public static func mailFrom(
        _ reversePath: [UInt8], helo: [UInt8], client: IPAddress
    ) -> SPFRequest {
        let helo = withALabels(helo)
        var path = reversePath
        if path.first == 0x3C, path.last == 0x3E { path = Array(path.dropFirst().dropLast()) }
        let (local, domain) = split(path[...])
        return SPFRequest(
            identity: .mailFrom, client: client, helo: helo, envelopeFrom: path,
            localPart: local.isEmpty ? postmaster : Array(local.prefix(longestText)),
            senderDomain: path.isEmpty ? helo : withALabels(Array(domain)))
    }

    private static let postmaster = Array("postmaster".utf8)

    /// Splits an address at its last "@", after any source route (RFC 7208, section 2.2).
    private static func split(
        _ path: ArraySlice<UInt8>
    ) -> (local: ArraySlice<UInt8>, domain: ArraySlice<UInt8>) {
        guard let at = path.lastIndex(of: 0x40) else { return ([], path) }
        var local = path[..<at]
        // "@relay.example,@other.example:user@example.com" (RFC 5321, appendix C).
        if local.first == 0x40, let colon = local.firstIndex(of: 0x3A) {
            local = local[(colon + 1)...]
        }
        return (local, path[(at + 1)...])
    }

    private init(
        identity: SPFIdentity, client: IPAddress, helo: [UInt8], envelopeFrom: [UInt8]?,
        localPart: [UInt8], senderDomain: [UInt8]
    ) {
        self.identity = identity
        self.client = client.unmapped
        self.helo = helo
        self.envelopeFrom = envelopeFrom
        self.localPart = localPart
        self.senderDomain = senderDomain
        domain = SPFRequest.checkable(senderDomain)
    }

    /// The text, cut where it is too long, with U-labels as A-labels if it is a domain name that has any.
    private static func withALabels(_ text: [UInt8]) -> [UInt8] {
        let kept = text.count <= longestText ? text : Array(text.prefix(longestText))
        guard !kept.span.isPrintableASCII, kept.contains(where: { $0 >= 0x80 }),
            let name = try? DomainName(bytes: kept.span)
        else { return kept }
        return Array(name.ascii.utf8)
    }

    /// The name to check: well formed and of several labels (RFC 7208, section 4.3), and no address
    /// literal or bare address, whose record no one can publish.
    private static func checkable(_ text: [UInt8]) -> DomainName? {
        guard let name = try? DomainName(bytes: text.span), name.labelCount > 1,
            text.first != 0x5B, IPAddress(bytes: text.span) == nil
        else { return nil }
        return name
    }
}

/// How much one check may ask of the DNS (RFC 7208, section 4.6.4).
public struct SPFLimits: Hashable, Sendable {
    /// Terms that cause DNS queries, over all records of a check.
    public var terms = 10
    /// Terms whose queries find nothing.
    public var voidLookups = 2
    /// Names of an MX or PTR answer whose addresses are asked for.
    public var names = 10
    /// Questions to the DNS, over all records of a check.
    ///
    /// Ten terms with ten names each could make it 111: no record of a domain that means to be
    /// evaluated comes near (RFC 7208, section 11.1, has such limits in mind).
    public var questions = 40
    /// How many mail exchangers are asked for at a time: those whose servers do not answer take no
    /// more places.
    public var namesAtOnce = 4
    /// Seconds for the whole check; the standard asks for 20 at least.
    public var seconds = 20.0
    /// Seconds for one question: less than half of the check's, so that a client who keeps its PTR
    /// record and the address of its name from being answered ends "ptr" (RFC 7208, section 5.5)
    /// and not the check.
    public var questionSeconds = 8.0
    /// Octets of an explanation that are kept.
    public var explanationLength = 500

    /// The limits of the standard.
    public init() {}
}
