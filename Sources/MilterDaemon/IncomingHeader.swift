public import MailSyntax

/// The header section of a message while it comes in, of bounded size.
///
/// Trust: any fields, in any number.
public struct IncomingHeader: Sendable {
    /// What has come; at its limit it stops growing and says so (`limitExceeded`).
    public private(set) var section: HeaderSection
    /// The Authentication-Results fields that came after that.
    public private(set) var unreadResults = 0

    /// An empty section.
    ///
    /// - Parameter octets: the longest section.
    public init(maximumOctets octets: Int) {
        section = HeaderSection(limits: HeaderSection.Limits(fields: octets / 4, bytes: octets))
    }

    /// Takes the next field.
    public mutating func append(name: Span<UInt8>, value: Span<UInt8>) {
        guard !section.append(name: name, value: value) else { return }
        let results = FieldName.authenticationResults.lowercased
        if name.equalsIgnoringASCIICase(results.span) { unreadResults += 1 }
    }
}
