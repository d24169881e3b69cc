/// What a header says about its authors: the From field (RFC 5322, section 3.6.2; RFC 6854, section 2.1).
///
/// The grammar is that of RFC 5322, section 3.4, RFC 6532 and RFC 6854, with the obsolete syntax of RFC 5322,
/// sections 4.1 and 4.4, as far as it can be read in one way only: words with dots in a display name, white
/// space and comments around the dots of an address in brackets, routes, empty elements of a list. Names and
/// comments may be in an older encoding than UTF-8, where that cannot mislead anybody.
///
/// A field that breaks the grammar is `sloppy` where it names addresses all the same: all that a mail reader
/// could show as the author's, so that none of them is left out. What names nobody is `malformed`.
///
/// Trust: hostile text; time and memory are linear in its length, which is bounded.
public enum AuthorField: Hashable, Sendable {
    /// One or more mailboxes, in order; the members of groups stand in their place.
    case authors([Mailbox])
    /// The field is well formed, or absent, and names nobody.
    case nobody(NoAuthorReason)
    /// The field breaks the grammar, or there are several. These are the addresses that readers could find.
    case sloppy([Mailbox], AuthorFieldError)
    /// No address can be read, or there is one that cannot be while readers may show it.
    case malformed(AuthorFieldError)

    /// How it comes that nobody is named.
    public enum NoAuthorReason: Hashable, Sendable, CustomStringConvertible {
        /// There is no From field.
        case absent
        /// The field is empty, or has comments only.
        case empty
        /// There are groups, and nobody in them (RFC 6854, section 2.1).
        case emptyGroup

        /// The reason in words, of a From field.
        public var description: String { text(of: .from) }

        /// The reason in words, of a field that is read as From is.
        public func text(of name: FieldName) -> String {
            switch self {
            case .absent: "no \(name) field"
            case .empty: "empty \(name) field"
            case .emptyGroup: "\(name) field with an empty group only"
            }
        }
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
        self.init(parsing: value, limits: limits, AuthorDomains())
    }

    private init(parsing value: Span<UInt8>, limits: Limits, _ domains: AuthorDomains) {
        guard value.count <= limits.octets else {
            self = .malformed(.tooLong)
            return
        }
        let text = value.copied()
        do throws(AuthorFieldError) {
            // Some encodings end a character with the octet of a backslash, which quotes what follows only for readers who do
            // not know of them. The other marks of the grammar are in no character of theirs.
            guard value.firstIndex(of: UInt8(ascii: "\\")) == nil || isUTF8(value) else {
                throw AuthorFieldError.notUTF8
            }
            var parser = try AuthorFieldParser(text, limits: limits, domains)
            self = try parser.parse()
        } catch AuthorFieldError.tooManyMailboxes {
            self = .malformed(.tooManyMailboxes)
        } catch {
            var reader = SloppyAuthorReader(limits: limits, domains)
            self = reader.read(text, after: error)
        }
    }

    /// Reads the From field of a header.
    ///
    /// Several fields are sloppy, even if they are equal (RFC 5322, section 3.6, allows one): readers differ
    /// over which one counts, and so all addresses of all of them do.
    public init(of header: HeaderSection, limits: Limits = Limits()) {
        let indices = header.indices(named: .from)
        guard let first = indices.first else {
            self = .nobody(.absent)
            return
        }
        // Together they may be as long as one: a reader of each would have a megabyte to read.
        let octets = indices.reduce(0) { $0 + header.fields[$1].value.count }
        guard indices.count == 1 || octets <= limits.octets else {
            self = .malformed(.tooLong)
            return
        }
        let domains = AuthorDomains()
        func field(_ index: Int) -> AuthorField {
            AuthorField(
                parsing: header.bytes.span.extracting(header.fields[index].value), limits: limits,
                domains)
        }
        self = field(first)
        guard indices.count > 1 else { return }
        var found: [Mailbox] = []
        for index in indices {
            let field = field(index)
            if case .malformed = field {
                self = .malformed(.severalFields)
                return
            }
            found += field.mailboxes
            guard found.count <= limits.mailboxes else {
                self = .malformed(.tooManyMailboxes)
                return
            }
        }
        self = found.isEmpty ? .malformed(.severalFields) : .sloppy(found, .severalFields)
    }

    /// The mailboxes; none where nobody is named or the field is malformed.
    public var mailboxes: [Mailbox] {
        switch self {
        case .authors(let mailboxes), .sloppy(let mailboxes, _): mailboxes
        case .nobody, .malformed: []
        }
    }

    /// What breaks the grammar; nil where nothing does.
    public var fault: AuthorFieldError? {
        switch self {
        case .sloppy(_, let error), .malformed(let error): error
        case .authors, .nobody: nil
        }
    }

    /// The domains of the mailboxes that are not doubtful, each once, in order of appearance.
    public var domains: [DomainName] {
        let mailboxes = mailboxes
        guard mailboxes.count > 1 else { return mailboxes.map(\.domain) }
        var seen: Set<DomainName> = []
        return mailboxes.filter { !$0.isDoubtful }.map(\.domain).filter { seen.insert($0).inserted }
    }

    /// The domains that only doubtful mailboxes have, each once, in order of appearance.
    public var doubtfulDomains: [DomainName] {
        let doubtful = mailboxes.filter(\.isDoubtful).map(\.domain)
        guard !doubtful.isEmpty else { return [] }
        var seen = Set(domains)
        return doubtful.filter { seen.insert($0).inserted }
    }
}

/// Whether octets are UTF-8.
func isUTF8(_ octets: Span<UInt8>) -> Bool { (try? UTF8Span(validating: octets)) != nil }
