internal import MailSyntax

/// The names for an `h=` tag, in order, chosen from the fields that a message has.
struct SignedNames {
    /// The names, each as often as it is to be listed.
    private(set) var names: [FieldName] = []

    /// The longest list: a message with more fields than this to sign is no ordinary message, and
    /// verifiers need not read on.
    static let limit = 500

    /// Chooses by the recipe: every instance of each field to be signed (RFC 6376, section 5.4.2),
    /// and one more of those to be oversigned.
    init(_ header: HeaderSection, _ recipe: SigningRecipe) {
        var listed: Set<FieldName> = []
        func list(_ name: FieldName) {
            guard !SigningRecipe.neverSigned.contains(name), listed.insert(name).inserted else {
                return
            }
            let extra = recipe.oversignedFields.contains(name) ? 1 : 0
            let count = min(header.count(named: name) + extra, Self.limit - names.count)
            names.append(contentsOf: repeatElement(name, count: count))
        }
        // "The From header field MUST be signed" (RFC 6376, section 5.4).
        list(.from)
        for pattern in recipe.signedFields {
            if pattern.isPrefix {
                for field in header.fields where header.hasPrefix(pattern, field) {
                    list(FieldName(bytes: header.bytes[field.name]))
                }
            } else {
                list(pattern.name)
            }
        }
        for name in recipe.oversignedFields { list(name) }
    }
}

extension HeaderSection {
    fileprivate func hasPrefix(_ pattern: FieldPattern, _ field: Field) -> Bool {
        let prefix = pattern.name.lowercased
        guard field.name.count >= prefix.count else { return false }
        let start = field.name.lowerBound
        return bytes.span.extracting(start..<start + prefix.count)
            .equalsIgnoringASCIICase(prefix.span)
    }
}
