public import MailSyntax

/// A header section with the fields that decide, and of the others no more than that they are
/// there: enough to judge a message again, with a ``MessageWitness``.
///
/// Trust: any header section; linear time, as often as a name stands in it.
public enum AbridgedHeader {
    /// A field.
    public struct Field: Hashable, Sendable {
        /// The name as it was written.
        public let name: [UInt8]
        /// The value, or what stands for it.
        public let value: [UInt8]

        /// Describes a field.
        public init(name: [UInt8], value: [UInt8]) {
            self.name = name
            self.value = value
        }
    }

    /// The fields whose values decide: whom the message is from, and what was said of it on the way.
    private static let deciding: [FieldName] = [
        .from, .sender, .messageID, "Resent-From", "Resent-Sender", "List-Post", "List-Id",
        .dkimSignature,
        .authenticationResults, .receivedSPF, .arcSeal, .arcMessageSignature,
        .arcAuthenticationResults,
    ]

    /// The fields of a section, all in their places.
    ///
    /// Values that do not decide are left out. Where a name stands more than once, a number tells which of
    /// its fields say the same, as signatures ask (RFC 6376, section 8.15).
    public static func fields(of header: HeaderSection) -> [Field] {
        var values = [[UInt8]](repeating: [], count: header.count)
        var isKept = [Bool](repeating: false, count: header.count)
        for name in deciding {
            var next = header.lastIndex(named: name)
            while let position = next {
                isKept[position] = true
                values[position] = withoutCopies(Array(header.value(of: position)))
                next = header.previousIndex(sameNameAs: position)
            }
        }
        var fields = SignedFields(header, truncated: [])
        // The lowest field of each name that stands more than once.
        for position in values.indices where !isKept[position] {
            guard header.previousIndex(sameNameAs: position) != nil,
                header.lastIndex(sameNameAs: position) == position
            else { continue }
            let name = header.name(of: position).asciiLowercased
            number(header.indices(named: name.span), &fields, &values)
        }
        return values.indices.map { position in
            Field(name: Array(header.name(of: position)), value: values[position])
        }
    }

    /// The most fields of one name that are compared with each other.
    private static let mostCompared = 16

    private static func number(
        _ positions: [Int], _ fields: inout SignedFields, _ values: inout [[UInt8]]
    ) {
        var kinds: [Int] = []
        for position in positions.prefix(mostCompared) {
            let kind = kinds.firstIndex { fields.areSame($0, position) } ?? kinds.count
            if kind == kinds.count { kinds.append(position) }
            values[position] = Array(" \(kind + 1)".utf8)
        }
        for position in positions.dropFirst(mostCompared) { values[position] = Array(" ?".utf8) }
    }

    /// A signature without the copies of header fields in its `z=` tag: the Subject may be among them.
    private static func withoutCopies(_ value: [UInt8]) -> [UInt8] {
        guard mayHaveCopies(value) else { return value }
        var tags = value.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
        for index in tags.indices {
            guard let sign = tags[index].firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = tags[index][..<sign].filter { $0 > 0x20 }
            if name == [UInt8(ascii: "z")] { tags[index] = tags[index][...sign] + Array("x".utf8) }
        }
        return Array(tags.joined(separator: [UInt8(ascii: ";")]))
    }

    /// Whether a "z" stands before an "=", with no more than white space between them: nearly every
    /// signature can be left as it is, without a look at its tags.
    private static func mayHaveCopies(_ value: [UInt8]) -> Bool {
        var last: UInt8 = 0
        for octet in value where octet > 0x20 {
            if octet == UInt8(ascii: "="), last == UInt8(ascii: "z") { return true }
            last = octet
        }
        return false
    }
}
