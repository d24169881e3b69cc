/// One mailbox of an address field (RFC 5322, section 3.4): a name for people, and an address.
///
/// Trust: the parts come from hostile text. The domain is a valid domain name; the local-part is any UTF-8
/// without control characters other than the tab, and the display name any octets without them.
public struct Mailbox: Hashable, Sendable {
    /// The display name without quotes and with single spaces between words; nil if there is none.
    ///
    /// Encoded words in it are not decoded, and nothing in it is an address, whatever it looks like.
    public let displayName: [UInt8]?

    /// The local-part, without quotes.
    public let localPart: [UInt8]

    /// The domain.
    public let domain: DomainName

    /// Whether only readers who know no white space in a domain show this address, of a field that breaks the
    /// grammar (`ann@example.co m`, but also `ann@example.org Ann`): it may be nobody's.
    public let isDoubtful: Bool

    /// Creates a mailbox.
    public init(
        displayName: [UInt8]? = nil, localPart: [UInt8], domain: DomainName,
        isDoubtful: Bool = false
    ) {
        self.displayName = displayName
        self.localPart = localPart
        self.domain = domain
        self.isDoubtful = isDoubtful
    }

    /// The address in the form of RFC 5322, section 3.4.1: the local-part quoted where it must be, the
    /// domain in ASCII.
    public var address: String {
        String(decoding: AddressSyntax.quotedIfNeeded(localPart: localPart), as: UTF8.self)
            + "@" + domain.ascii
    }
}

extension Mailbox: CustomStringConvertible {
    /// The address.
    public var description: String { address }
}
