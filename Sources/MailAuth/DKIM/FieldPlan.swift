internal import MailSyntax

/// Which fields to sign, worked out from a recipe once and not for each message.
struct FieldPlan: Sendable {
    /// A name of which every field is signed.
    struct Entry: Sendable {
        let name: FieldName
        /// The name as it is written in `h=`.
        let text: [UInt8]
        /// Whether the name is listed once more than there are fields.
        let isOversigned: Bool

        init(_ name: FieldName, isOversigned: Bool) {
            self.name = name
            text = Array(name.text.utf8)
            self.isOversigned = isOversigned
        }
    }

    /// What a message's signature covers.
    struct Choice {
        /// The `h=` tag, name by name.
        var names: [[UInt8]] = []
        /// The fields that the names stand for, in their order.
        var positions: [Int] = []
    }

    private let entries: [Entry]
    private let prefixes: [FieldName]
    /// The names that no prefix brings in: those that must not be signed, and the entries' own.
    private let excluded: Set<FieldName>

    /// The longest `h=`: a message with more fields than this to sign is no ordinary message, and
    /// verifiers need not read on.
    private static let limit = 500

    init(signed: [FieldPattern], oversigned: [FieldName], omitted: Set<FieldName>) {
        // "The From header field MUST be signed" (RFC 6376, section 5.4).
        let exact = [FieldName.from] + signed.filter { !$0.isPrefix }.map(\.name) + oversigned
        var excluded = SigningRecipe.neverSigned.union(omitted)
        excluded.remove(.from)
        entries = exact.filter { excluded.insert($0).inserted }.map {
            Entry($0, isOversigned: oversigned.contains($0))
        }
        self.excluded = excluded
        prefixes = signed.filter(\.isPrefix).map(\.name)
    }

    /// Chooses among the fields that a message has: every instance of each name (RFC 6376, section
    /// 5.4.2), and one that is not there of those to be oversigned.
    func choose(_ header: HeaderSection) -> Choice {
        var choice = Choice()
        for entry in entries {
            list(entry, header.lastIndex(named: entry.name), header, &choice)
        }
        guard !prefixes.isEmpty else { return choice }
        for position in header.fields.indices where matchesPrefix(header, position) {
            // Each name once, with all its fields, when its first one comes.
            guard header.occurrence(of: position) == 1 else { continue }
            let name = FieldName(bytes: header.bytes.span.extracting(header.fields[position].name))
            guard !excluded.contains(name) else { continue }
            list(
                Entry(name, isOversigned: false), header.lastIndex(named: name), header, &choice)
        }
        return choice
    }

    private func list(
        _ entry: Entry, _ lowest: Int?, _ header: HeaderSection, _ choice: inout Choice
    ) {
        var next = lowest
        while let position = next, choice.names.count < Self.limit {
            choice.names.append(entry.text)
            choice.positions.append(position)
            next = header.previousIndex(sameNameAs: position)
        }
        if entry.isOversigned, choice.names.count < Self.limit { choice.names.append(entry.text) }
    }

    private func matchesPrefix(_ header: HeaderSection, _ position: Int) -> Bool {
        let name = header.fields[position].name
        return prefixes.contains { prefix in
            guard name.count >= prefix.lowercased.count else { return false }
            let start = name.lowerBound
            return header.bytes.span.extracting(start..<start + prefix.lowercased.count)
                .equalsIgnoringASCIICase(prefix.lowercased.span)
        }
    }
}
