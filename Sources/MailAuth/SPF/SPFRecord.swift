public import MailSyntax

/// An SPF record that obeys the grammar of RFC 7208, section 12.
///
/// The terms are ranges of the record's own octets, so that parsing copies nothing: macros are read
/// again, by the same scanner, when a term is evaluated.
public struct SPFRecord: Hashable, Sendable {
    /// The record as published, its character strings joined (RFC 7208, section 3.3).
    public let bytes: [UInt8]
    /// The directives, in order.
    public let directives: [SPFDirective]
    /// The target of the "redirect" modifier (RFC 7208, section 6.1).
    public let redirect: SPFDomainSpec?
    /// The place of the explanation, from the "exp" modifier (RFC 7208, section 6.2).
    public let explanation: SPFDomainSpec?
    /// Whether there is an "all" mechanism: "redirect" is then ignored (RFC 7208, section 5.1).
    public let hasAll: Bool

    /// The whole record as text.
    public var text: String { String(decoding: bytes, as: UTF8.self) }

    /// A directive as it is written in the record.
    public func text(of directive: SPFDirective) -> String { text(in: directive.range) }

    func text(in range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }
}

/// A mechanism with its qualifier (RFC 7208, section 4.6.1).
public struct SPFDirective: Hashable, Sendable {
    /// What the check results in if the mechanism matches.
    public let qualifier: SPFQualifier
    /// What is compared with the client.
    public let mechanism: SPFMechanism
    /// Where the directive lies in the record.
    public let range: Range<Int>
}

/// A mechanism (RFC 7208, section 5).
///
/// Where there is no domain, the record's own is meant.
public enum SPFMechanism: Hashable, Sendable {
    /// Matches every client.
    case all
    /// Matches where a check of another domain passes.
    case include(SPFDomainSpec)
    /// Matches the addresses of a name.
    case a(SPFDomainSpec?, SPFPrefixLengths)
    /// Matches the addresses of a name's mail exchangers.
    case mx(SPFDomainSpec?, SPFPrefixLengths)
    /// Matches clients whose validated host name lies in a domain.
    case ptr(SPFDomainSpec?)
    /// Matches the addresses of an IPv4 ("ip4") or IPv6 ("ip6") network.
    case ip(IPNetwork)
    /// Matches where a name has an A record.
    case exists(SPFDomainSpec)

    /// Whether the mechanism counts against the limit of terms that cause DNS queries
    /// (RFC 7208, section 4.6.4).
    public var asksDNS: Bool {
        switch self {
        case .all, .ip: false
        case .include, .a, .mx, .ptr, .exists: true
        }
    }
}

/// A domain-spec that obeys the grammar (RFC 7208, section 7.1), not expanded yet.
public struct SPFDomainSpec: Hashable, Sendable {
    /// Where it lies in the record.
    public let range: Range<Int>
    /// Whether it holds a "%": if not, it stands for itself.
    public let hasMacros: Bool
}

/// The dual-cidr-length of "a" and "mx" (RFC 7208, section 5.6).
public struct SPFPrefixLengths: Hashable, Sendable {
    /// The bits of an IPv4 address that are compared, 0...32.
    public let v4: Int
    /// The bits of an IPv6 address that are compared, 0...128.
    public let v6: Int

    /// Both lengths left out: whole addresses are compared.
    public static let full = SPFPrefixLengths(v4: 32, v6: 128)

    /// Whether two addresses of one family agree in their high-order bits.
    func agree(_ a: IPAddress, _ b: IPAddress) -> Bool {
        switch (a, b) {
        // Swift's shifts do not trap: a shift by the whole width leaves zero.
        case (.v4(let x), .v4(let y)): (x ^ y) >> (32 - v4) == 0
        case (.v6(let x), .v6(let y)): (x ^ y) >> (128 - v6) == 0
        default: false
        }
    }
}
