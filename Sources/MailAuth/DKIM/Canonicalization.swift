internal import MailSyntax

/// How a message is prepared before it is hashed (RFC 6376, section 3.4).
public enum Canonicalization: String, Hashable, Sendable, CaseIterable {
    /// Hashes the octets as they are, but for empty lines at the end of the body.
    case simple
    /// Disregards folding, the case of field names, and the amount of white space.
    case relaxed

    /// Reads an algorithm's name without regard to case.
    init?(_ text: some Collection<UInt8>) {
        if text.equalsIgnoringASCIICase("simple".utf8) {
            self = .simple
        } else if text.equalsIgnoringASCIICase("relaxed".utf8) {
            self = .relaxed
        } else {
            return nil
        }
    }
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
    public init?(_ text: some Collection<UInt8>) {
        let slash = text.firstIndex(of: UInt8(ascii: "/"))
        guard let header = Canonicalization(text[..<(slash ?? text.endIndex)]) else { return nil }
        guard let slash else {
            self.init(header: header)
            return
        }
        guard let body = Canonicalization(text[slash...].dropFirst()) else { return nil }
        self.init(header: header, body: body)
    }

    /// The value of a `c=` tag.
    public var description: String { "\(header.rawValue)/\(body.rawValue)" }
}
