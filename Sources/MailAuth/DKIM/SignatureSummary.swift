internal import MailSyntax

/// What a DKIM-Signature field says, read for people and comparisons, whether or not it is in order (RFC 6376, section 3.5).
///
/// Trust: the value is anyone's; nothing of it is believed.
public struct SignatureSummary: Sendable {
    /// `d=`, in small letters.
    public let domain: String
    /// `s=`, in small letters.
    public let selector: String
    /// `a=`, in small letters; empty where it is not said.
    public let algorithm: String
    /// `c=` with both of its words, in small letters.
    public let canonicalization: String
    /// `i=`, in small letters.
    public let identity: String?
    /// `bh=`.
    public let bodyHash: String
    /// Whether there is an `l=`.
    public let hasLength: Bool
    /// Whether there is an `x=`.
    public let expires: Bool
    /// How often each name is in `h=`, in small letters.
    public let covered: [String: Int]

    /// The most names of `h=` that are looked at.
    private static let mostNames = 200

    /// Reads the value of a field; nil where it is none.
    public init?(_ value: [UInt8]) {
        guard let list = try? TagList(parsing: value) else { return nil }
        func text(_ name: String) -> String? {
            list.tag(name).map { tag in
                String(decoding: value[tag.value].filter { $0 > 0x20 }, as: UTF8.self)
            }
        }
        guard let domain = text("d"), let selector = text("s") else { return nil }
        self.domain = domain.asciiLowercased
        self.selector = selector.asciiLowercased
        algorithm = text("a")?.asciiLowercased ?? ""
        // "simple" for what is not said (section 3.5, tag "c").
        let parts = (text("c") ?? "simple").asciiLowercased.split(separator: "/")
        canonicalization = "\(parts.first ?? "simple")/\(parts.dropFirst().first ?? "simple")"
        identity = text("i")?.asciiLowercased
        bodyHash = text("bh") ?? ""
        hasLength = text("l") != nil
        expires = text("x") != nil
        let names = (text("h") ?? "").asciiLowercased.split(separator: ":")
        covered = names.prefix(Self.mostNames).reduce(into: [:]) { $0[String($1), default: 0] += 1 }
    }

    /// Whose signature it is, for people.
    public var subject: String { "d=\(domain) s=\(selector)" }
}
