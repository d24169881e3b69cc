public import MailSyntax

/// One record of a zone: its owner, its type and its data.
public struct ZoneRecord: Hashable, Sendable {
    /// The name that has the record; a leftmost label `*` makes it a wildcard (RFC 4592).
    public let owner: DomainName
    /// The record's type.
    public let type: RecordType
    /// The record's data, of the case that belongs to the type.
    public let data: DNSRecord

    /// Creates a record.
    public init(_ owner: DomainName, _ type: RecordType, _ data: DNSRecord) {
        self.owner = owner
        self.type = type
        self.data = data
    }
}

/// Why a zone file was not read: what is wrong, and where.
public struct ZoneError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The line that holds the mistake, counted from 1.
    public let line: Int
    /// What is wrong.
    public let reason: Reason

    /// What can be wrong with a zone file.
    public enum Reason: Error, Hashable {
        /// A quoted string does not end on its line.
        case unterminatedString
        /// Parentheses do not match.
        case unbalancedParentheses
        /// A backslash is followed by neither a printable character nor three digits up to 255.
        case badEscape
        /// A record begins with white space, and no record came before it.
        case noOwner
        /// A line has no record type.
        case noType
        /// The word is neither a class, a TTL nor a record type.
        case unknownType(String)
        /// The class is not IN.
        case unsupportedClass(String)
        /// The directive is not `$ORIGIN` or `$TTL`.
        case unsupportedDirective(String)
        /// The text is not a domain name.
        case badName(String)
        /// The record's data has too few or too many parts, or one that does not parse.
        case badData(RecordType)
        /// A character string is longer than 255 octets (RFC 1035, section 3.3).
        case stringTooLong
        /// A name has a CNAME record and others (RFC 2181, section 10.1).
        case aliasAndOthers(DomainName)
    }

    /// The mistake as one line of text.
    public var description: String { "line \(line): \(text)" }

    private var text: String {
        switch reason {
        case .unterminatedString: "a quoted string does not end"
        case .unbalancedParentheses: "parentheses do not match"
        case .badEscape: "a backslash needs a character or three digits up to 255 after it"
        case .noOwner: "the first record has no name"
        case .noType: "the record has no type"
        case .unknownType(let word): "'\(word)' is not a record type"
        case .unsupportedClass(let word): "class \(word) is not supported"
        case .unsupportedDirective(let word): "directive \(word) is not supported"
        case .badName(let name): "'\(name)' is not a domain name"
        case .badData(let type): "the data is not that of a record of type \(type.mnemonic)"
        case .stringTooLong: "a character string is longer than 255 octets; split it"
        case .aliasAndOthers(let name): "\(name) has a CNAME record and others"
        }
    }
}
