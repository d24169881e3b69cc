public import MailSyntax

/// What a signature covers and says, beyond the key that makes it.
public struct SigningRecipe: Sendable {
    /// The `c=` tag.
    public var canonicalization = CanonicalizationPair(header: .relaxed, body: .simple)
    /// The fields to sign, where the message has them; From is always signed.
    public var signedFields: [FieldPattern] = SigningRecipe.recommendedFields {
        didSet { replan() }
    }
    /// Fields named in `h=` once more than the message has them, so that none can be added later
    /// (RFC 6376, section 8.15).
    public var oversignedFields = DKIMVerifierOptions.standardSingletonFields {
        didSet { replan() }
    }
    /// Fields not to sign although the two lists have them; From is signed all the same.
    public var omittedFields: Set<FieldPattern> = [] {
        didSet { replan() }
    }
    /// How long signatures are valid, in seconds (`x=` less `t=`); nil for ever.
    public var lifetime: Int64?
    /// Whether signatures carry a copy of the signed fields, for diagnosis (`z=`).
    public var copiesFields = false

    /// The two lists, prepared.
    private(set) var plan = FieldPlan(
        signed: SigningRecipe.recommendedFields,
        oversigned: DKIMVerifierOptions.standardSingletonFields, omitted: [])

    /// Creates a recipe with the defaults.
    public init() {}

    private mutating func replan() {
        plan = FieldPlan(
            signed: signedFields, oversigned: oversignedFields, omitted: omittedFields)
    }

    /// The fields of RFC 6376, section 5.4.1, and those that later attacks and practice add: how
    /// the body is to be read (MIME), which message it is, and one-click unsubscription.
    public static let recommendedFields: [FieldPattern] = [
        "From", "Reply-To", "Sender", "Subject", "Date", "Message-ID", "To", "Cc",
        "MIME-Version", "Content-*", "In-Reply-To", "References",
        "Resent-Date", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc",
        "Resent-Message-ID", "List-Id", "List-Help", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive",
    ]

    /// Fields that are never signed, whatever the list says.
    ///
    /// They are written on the way (RFC 6376, section 5.4), or removed by the last MTA.
    public static let neverSigned: Set<FieldName> = [
        .received, .returnPath, .dkimSignature, .receivedSPF, .authenticationResults,
        .arcSeal, .arcMessageSignature, .arcAuthenticationResults,
        "Bcc", "Resent-Bcc",
    ]
}

/// A field name, or all names with one beginning: "Subject", "Content-*".
public struct FieldPattern: Hashable, Sendable, ExpressibleByStringLiteral {
    /// The name, or the beginning.
    public let name: FieldName
    /// Whether any name that begins so is meant.
    public let isPrefix: Bool

    /// Reads a name, or a beginning with "*" after it.
    public init(_ text: some StringProtocol) {
        isPrefix = text.hasSuffix("*")
        name = FieldName(String(isPrefix ? text.dropLast() : text[...]))
    }

    /// Creates a pattern from a literal.
    public init(stringLiteral value: StaticString) {
        self.init(value.description)
    }

    /// Whether a name, in lower case, is meant.
    public func matches(_ lowercased: some Collection<UInt8>) -> Bool {
        isPrefix
            ? lowercased.starts(with: name.lowercased)
            : lowercased.elementsEqual(name.lowercased)
    }
}
