public import MailSyntax

/// The record types that mail authentication asks for (RFC 1035, section 3.2.2; RFC 3596), and that of services (RFC 2782).
public enum RecordType: UInt16, Hashable, Sendable, CaseIterable {
    case a = 1
    case ns = 2
    case cname = 5
    case ptr = 12
    case mx = 15
    case txt = 16
    case aaaa = 28
    case srv = 33
}

/// One question to the DNS: a name and a record type, class IN.
public struct DNSQuestion: Hashable, Sendable {
    /// The name asked for.
    public let name: DomainName
    /// The record type asked for.
    public let type: RecordType

    /// Creates a question.
    public init(_ name: DomainName, _ type: RecordType) {
        self.name = name
        self.type = type
    }

    /// Whether a DMARC policy is sought (RFC 9989, section 4.10).
    package var isForPolicy: Bool { name.ascii.hasPrefix("_dmarc.") }
}
