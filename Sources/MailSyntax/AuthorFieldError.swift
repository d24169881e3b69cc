/// Why a From field does not say, beyond doubt, who the authors are.
///
/// The raw value is a short phrase for logs and comments.
public enum AuthorFieldError: String, Error, Hashable, Sendable, CaseIterable {
    /// The header has more than one From field (RFC 5322, section 3.6).
    case severalFields = "several From fields"
    /// The field is longer than the limit.
    case tooLong = "From field too long"
    /// The field has more mailboxes than the limit.
    case tooManyMailboxes = "too many mailboxes"
    /// Octets that are not UTF-8 (RFC 6532, section 3.1).
    case notUTF8 = "octets that are not UTF-8"
    /// A NUL octet.
    case nul = "NUL octet"
    /// A carriage return without its line feed.
    case bareCR = "bare CR"
    /// A line end that is no fold.
    case bareLF = "bare LF"
    /// Another control character.
    case controlCharacter = "control character"
    /// A backslash outside quoted strings and comments, or at the end.
    case strayBackslash = "stray backslash"
    /// A quoted string without its end.
    case unbalancedQuote = "unbalanced quote"
    /// A comment without its end, or an end without a comment.
    case unbalancedComment = "unbalanced comment"
    /// Comments in comments, too deep.
    case commentTooDeep = "comments nested too deep"
    /// A square bracket without its partner.
    case unbalancedBracket = "unbalanced square bracket"
    /// An angle bracket without its partner.
    case unbalancedAngle = "unbalanced angle bracket"
    /// Commas, and no mailbox between them.
    case strayComma = "comma without a mailbox"
    /// A colon or a semicolon that does not belong to a group.
    case strayGroupMark = "colon or semicolon outside a group"
    /// A group in a group.
    case nestedGroup = "group in a group"
    /// A group without its semicolon.
    case unfinishedGroup = "group without its end"
    /// What begins as a route (RFC 5322, section 4.4, obs-route), and is none.
    case sourceRoute = "malformed source route"
    /// `<>`
    case emptyAddress = "empty address"
    /// Words where an address should be: no "@", or nothing after it.
    case missingDomain = "address without a domain"
    /// Nothing before the "@".
    case missingLocalPart = "address without a local-part"
    /// Words with white space between them and no quotes, before an "@".
    case unquotedSpace = "unquoted white space in an address"
    /// A dot at the start or the end of a part of an address, or two in a row.
    case misplacedDot = "misplaced dot"
    /// A second "@" in an address.
    case secondAt = "second at sign in an address"
    /// An encoded word in an address, where none may be (RFC 2047, section 5).
    case encodedWordInAddress = "encoded word in an address"
    /// `user@"domain.example"`
    case quotedDomain = "quoted domain"
    /// `user@[192.0.2.1]`: an author's address must have a domain to be authenticated.
    case domainLiteral = "domain literal"
    /// White space or a comment inside the domain of an address without angle brackets, so that readers
    /// can take the domain to end there.
    case gapInDomain = "white space or comment inside a domain"
    /// A domain that no host can have.
    case invalidDomain = "invalid domain"
    /// `first@domain.example <second@domain.example>`
    case addressBeforeAngle = "address before an angle address"
    /// `<first@domain.example> <second@domain.example>`
    case secondAngleAddress = "second angle address"
    /// Text after an address, with no comma between.
    case textAfterAddress = "text after an address"
}

extension AuthorFieldError: CustomStringConvertible {
    /// The phrase.
    public var description: String { rawValue }
}
