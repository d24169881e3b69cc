/// How a message is prepared before it is hashed (RFC 6376, section 3.4).
public enum Canonicalization: String, Hashable, Sendable, CaseIterable {
    /// Hashes the octets as they are, but for empty lines at the end of the body.
    case simple
    /// Disregards folding, the case of field names, and the amount of white space.
    case relaxed
}

/// The two canonicalizations of a signature's `c=` tag.
public struct CanonicalizationPair: Hashable, Sendable, CustomStringConvertible {
    /// How header fields are prepared.
    public var header: Canonicalization
    /// How the body is prepared.
    public var body: Canonicalization

    /// Creates a pair; the default is the one that a signature without `c=` has.
    public init(header: Canonicalization = .simple, body: Canonicalization = .simple) {
        self.header = header
        self.body = body
    }

    /// Reads a `c=` tag's value: one algorithm, or two with "/" between them; nil for any other.
    ///
    /// One algorithm is the header's, and the body's is then simple (RFC 6376, section 3.5). Case
    /// is disregarded, as it is in literals of ABNF.
    public init?(_ text: some StringProtocol) {
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2,
            let header = Canonicalization(rawValue: String(first)),
            let body = parts.count == 1 ? .simple : Canonicalization(rawValue: String(parts[1]))
        else { return nil }
        self.init(header: header, body: body)
    }

    /// The value of a `c=` tag.
    public var description: String { "\(header.rawValue)/\(body.rawValue)" }
}
