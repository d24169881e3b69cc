public import MailSyntax

/// One resource record of an answer, without its owner name: an answer holds the records at the
/// end of the question's CNAME chain.
public enum DNSRecord: Hashable, Sendable {
    /// An A or AAAA record.
    case address(IPAddress)
    /// A mail exchanger. A null MX (RFC 7505) has the root as its exchange.
    case mx(preference: UInt16, exchange: DomainName)
    /// A PTR, NS or CNAME record's target.
    case name(DomainName)
    /// A TXT record's character strings, in order (RFC 1035, section 3.3.14).
    case text([[UInt8]])
}

/// What DNSSEC says of an answer.
public enum DNSSECStatus: Hashable, Sendable {
    /// Validated up to a trust anchor.
    case secure
    /// Not signed, or not validated.
    case insecure
}

/// Why a question has no answer for now: each of these is a temporary error to the standards.
public enum DNSFailure: Hashable, Sendable {
    /// The deadline passed.
    case timeout
    /// The server answered with an error code other than NXDOMAIN.
    case serverFailure(responseCode: Int)
    /// The answer did not parse, or exceeds a bound.
    case malformed
    /// DNSSEC validation failed.
    case bogus(reason: String)
    /// The resolver itself failed.
    case resolver(String)
}

/// The answer to one question.
public enum DNSAnswer: Hashable, Sendable {
    /// At least one record of the type asked for.
    case records([DNSRecord], DNSSECStatus)
    /// The name exists, and has no record of that type (NODATA).
    case noData(DNSSECStatus)
    /// The name does not exist (NXDOMAIN).
    case nameError(DNSSECStatus)
    /// Nothing is known for now.
    case failure(DNSFailure)
}
