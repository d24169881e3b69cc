public import MailSyntax

/// One resource record of an answer, without its owner name: an answer holds the records at the
/// end of the question's CNAME chain.
public enum DNSRecord: Hashable, Sendable {
    /// An A or AAAA record.
    case address(IPAddress)
    /// A mail exchanger. A null MX (RFC 7505) has the root as its exchange.
    case mx(preference: UInt16, exchange: DomainName)
    /// A host and port that offer a service (RFC 2782); the root as the target says that nobody does.
    case srv(priority: UInt16, weight: UInt16, port: UInt16, target: DomainName)
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
    /// No name server answers at all, so nothing was asked.
    case noServer
    /// The server answered with an error code other than NXDOMAIN.
    case serverFailure(responseCode: Int)
    /// The answer did not parse, or exceeds a bound.
    case malformed
    /// DNSSEC validation failed.
    case bogus(reason: String)
    /// The resolver itself failed.
    case resolver(String)
}

extension DNSFailure: CustomStringConvertible {
    /// The failure in a few words of ours: nothing that a server sent.
    public var description: String {
        switch self {
        case .timeout: "time-out"
        case .noServer: "no DNS server answers"
        case .serverFailure(1): "FORMERR"
        case .serverFailure(2): "SERVFAIL"
        case .serverFailure(4): "NOTIMP"
        case .serverFailure(5): "REFUSED"
        case .serverFailure(let code): "response code \(code)"
        case .malformed: "malformed answer"
        case .bogus: "DNSSEC validation failed"
        case .resolver: "resolver error"
        }
    }

    /// What the resolver says about it, which may quote names that strangers chose; nil where it says nothing.
    public var detail: String? {
        switch self {
        case .bogus(let reason): reason
        case .resolver(let text): text
        case .timeout, .noServer, .serverFailure, .malformed: nil
        }
    }
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
