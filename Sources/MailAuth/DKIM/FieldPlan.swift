internal import MailSyntax

/// Which fields to sign, worked out from a recipe once and not for each message.
struct FieldPlan: Sendable {
    /// What a message's signature covers.
    struct Choice {
        /// The `h=` tag: names with colons between them.
        private(set) var names: [UInt8] = []
        /// The fields that the names stand for, in their order.
        private(set) var positions: [Int] = []
        private var count = 0

        /// The longest `h=`: a message with more fields than this to sign is no ordinary message, and
        /// verifiers need not read on.
        private static let limit = 500

        init() {
            names.reserveCapacity(512)
            positions.reserveCapacity(32)
        }

        /// Adds a name, and the field that it stands for, if it stands for one.
        mutating func append(_ name: Span<UInt8>, _ position: Int?) {
            guard count < Self.limit else { return }
            if count > 0 { names.append(UInt8(ascii: ":")) }
            names.append(contentsOf: name)
            count += 1
            if let position { positions.append(position) }
        }
    }

    /// A name of which every field is signed.
    private struct Entry: Sendable {
        let name: FieldName
        /// The name as it is written in `h=`.
        let text: [UInt8]
        /// Whether the name is listed once more than there are fields.
        let isOversigned: Bool
    }

    private let entries: [Entry]
    /// The beginnings, in lower case, of names of which every field is signed.
    private let prefixes: [[UInt8]]
    /// Names, in lower case, that begin so and are not to be signed, or are entries of their own.
    private let excluded: [[UInt8]]
    /// The beginnings, in lower case, of names that are not to be signed.
    private let excludedPrefixes: [[UInt8]]

    init(signed: [FieldPattern], oversigned: [FieldName], omitted: Set<FieldPattern>) {
        let rest = signed.filter { !$0.isPrefix }.map(\.name) + oversigned
        let patterns = omitted.filter(\.isPrefix)
        // "The From header field MUST be signed" (RFC 6376, section 5.4).
        let exact =
            [FieldName.from]
            + rest.filter { name in !patterns.contains { $0.matches(name.lowercased) } }
        var excluded = SigningRecipe.neverSigned
        excluded.formUnion(omitted.filter { !$0.isPrefix }.map(\.name))
        excluded.remove(.from)
        entries = exact.filter { excluded.insert($0).inserted }.map {
            Entry(name: $0, text: Array($0.text.utf8), isOversigned: oversigned.contains($0))
        }
        let prefixes = signed.filter(\.isPrefix).map(\.name.lowercased)
        self.prefixes = prefixes
        self.excluded = excluded.map(\.lowercased).filter { name in
            prefixes.contains { name.starts(with: $0) }
        }
        excludedPrefixes = patterns.map(\.name.lowercased)
    }

    /// Chooses among the fields that a message has: every instance of each name (RFC 6376, section
    /// 5.4.2), and one that is not there of those to be oversigned.
    func choose(_ header: HeaderSection) -> Choice {
        var choice = Choice()
        let entries = entries.span
        for index in entries.indices {
            let text = entries[index].text.span
            Self.list(header.lastIndex(named: entries[index].name), as: text, header, &choice)
            if entries[index].isOversigned { choice.append(text, nil) }
        }
        guard !prefixes.isEmpty else { return choice }
        for position in header.fields.indices {
            let name = header.bytes.span.extracting(header.fields[position].name)
            // Each name once, with all its fields, when its first one comes.
            guard isMeant(name), header.occurrence(of: position) == 1 else { continue }
            Self.list(header.lastIndex(sameNameAs: position), as: name, header, &choice)
        }
        return choice
    }

    /// Lists a field and all above it that have its name.
    private static func list(
        _ lowest: Int?, as name: Span<UInt8>, _ header: HeaderSection, _ choice: inout Choice
    ) {
        var next = lowest
        while let position = next {
            choice.append(name, position)
            next = header.previousIndex(sameNameAs: position)
        }
    }

    /// Whether a name is signed for its beginning.
    private func isMeant(_ name: Span<UInt8>) -> Bool {
        Self.begins(name, with: prefixes) && name.canStandInTagList
            && !excluded.contains { name.equalsIgnoringASCIICase($0.span) }
            && !Self.begins(name, with: excludedPrefixes)
    }

    /// Whether a name has one of these beginnings, in lower case.
    private static func begins(_ name: Span<UInt8>, with prefixes: [[UInt8]]) -> Bool {
        for prefix in prefixes where name.count >= prefix.count {
            if name.extracting(first: prefix.count).equalsIgnoringASCIICase(prefix.span) {
                return true
            }
        }
        return false
    }
}

extension Span<UInt8> {
    /// Whether this is a field name that a tag's value can hold: a semicolon would end the value
    /// (RFC 6376, section 3.2), and octets outside ASCII are of no field name.
    fileprivate var canStandInTagList: Bool {
        for index in indices {
            guard FieldName.isNameOctet(self[index]), self[index] != UInt8(ascii: ";") else {
                return false
            }
        }
        return true
    }
}
