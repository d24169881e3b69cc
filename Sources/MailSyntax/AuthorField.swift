/// What a header says about its authors: the From field (RFC 5322, section 3.6.2; RFC 6854, section 2.1).
///
/// Two readers of one field must never come to different authors, so the parser takes all that RFC 5322,
/// section 3.4, RFC 6532 and RFC 6854 allow, and of the obsolete syntax what can be read in one way only
/// (words with dots in a display name, white space and comments around the dots of an address). Names and
/// comments may be in an older encoding than UTF-8, where that cannot mislead anybody. All else is
/// `malformed`: such a message is not signed, and its author domain counts as unknown.
///
/// Trust: hostile text; time and memory are linear in its length, which is bounded.
public enum AuthorField: Hashable, Sendable {
    /// One or more mailboxes, in order; the members of groups stand in their place.
    case authors([Mailbox])
    /// The field is well formed, or absent, and names nobody.
    case nobody(NoAuthorReason)
    /// The field can not be read, or not in one way only.
    case malformed(AuthorFieldError)

    /// How it comes that nobody is named.
    public enum NoAuthorReason: String, Hashable, Sendable {
        /// There is no From field.
        case absent = "no From field"
        /// The field is empty, or has comments only.
        case empty = "empty From field"
        /// There are groups, and nobody in them (RFC 6854, section 2.1).
        case emptyGroup = "From field with an empty group only"
    }

    /// How much is read at most.
    public struct Limits: Sendable {
        /// The longest field value, in octets.
        public var octets: Int
        /// The largest number of mailboxes.
        public var mailboxes: Int

        /// Creates limits; the defaults are above all that Postfix sends in one field.
        public init(octets: Int = 65_536, mailboxes: Int = 1_000) {
            self.octets = octets
            self.mailboxes = mailboxes
        }
    }

    /// Reads the value of a From field: what follows the colon, with folds as CRLF or LF.
    public init(parsing value: Span<UInt8>, limits: Limits = Limits()) {
        do throws(AuthorFieldError) {
            guard value.count <= limits.octets else { throw AuthorFieldError.tooLong }
            // Some encodings end a character with the octet of a backslash, which quotes what follows only for readers who do
            // not know of them. The other marks of the grammar are in no character of theirs.
            guard value.firstIndex(of: UInt8(ascii: "\\")) == nil || isUTF8(value) else {
                throw AuthorFieldError.notUTF8
            }
            var parser = try AuthorFieldParser(value.copied(), limits: limits)
            self = try parser.parse()
        } catch {
            self = .malformed(error)
        }
    }

    /// Reads the From field of a header.
    ///
    /// Several fields are malformed, even if they are equal: readers differ over which one counts.
    public init(of header: HeaderSection, limits: Limits = Limits()) {
        let indices = header.indices(named: .from)
        guard let index = indices.first else {
            self = .nobody(.absent)
            return
        }
        guard indices.count == 1 else {
            self = .malformed(.severalFields)
            return
        }
        self.init(
            parsing: header.bytes.span.extracting(header.fields[index].value), limits: limits)
    }

    /// The mailboxes; none where nobody is named or the field is malformed.
    public var mailboxes: [Mailbox] {
        if case .authors(let mailboxes) = self { mailboxes } else { [] }
    }

    /// The domains of the mailboxes, each once, in order of appearance.
    public var domains: [DomainName] {
        let mailboxes = mailboxes
        guard mailboxes.count > 1 else { return mailboxes.map(\.domain) }
        var seen: Set<DomainName> = []
        return mailboxes.map(\.domain).filter { seen.insert($0).inserted }
    }
}

/// Whether octets are UTF-8.
func isUTF8(_ octets: Span<UInt8>) -> Bool { (try? UTF8Span(validating: octets)) != nil }
