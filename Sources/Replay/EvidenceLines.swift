internal import MailSyntax

/// Facts of a record on their way into it: a line of printable ASCII each, of a kind and fields with a
/// tab before each.
///
/// Every message that is recorded goes through here: what is plain already is copied as a whole.
struct EvidenceLines {
    /// The lines, each with a line feed after it.
    private(set) var octets: [UInt8] = []

    private static let digits = Array("0123456789abcdef".utf8)
    /// What most messages take.
    private static let usualLength = 4_096

    /// No facts.
    init() { octets.reserveCapacity(Self.usualLength) }

    /// Adds a fact.
    ///
    /// - Parameters:
    ///   - kind: what it is: a word.
    ///   - fields: adds its fields.
    mutating func add(_ kind: String, _ fields: (inout EvidenceLines) -> Void = { _ in }) {
        octets += kind.utf8
        fields(&self)
        octets.append(.lf)
    }

    /// Adds a field of the fact that is being added, of octets in which nothing but printable ASCII
    /// stands for itself; `\\0a` is a line feed.
    mutating func field(_ value: [UInt8]) {
        octets.append(.tab)
        append(escaping: value)
    }

    /// Adds a field of text.
    mutating func field(_ value: String) {
        octets.append(.tab)
        append(escaping: value)
    }

    /// Adds a field whose text is of ours: a number, or a word.
    mutating func field(word: String) {
        octets.append(.tab)
        octets += word.utf8
    }

    /// Appends to a field what is of ours.
    mutating func append(word: String) { octets += word.utf8 }

    /// Appends text to a field.
    mutating func append(escaping value: String) {
        if Self.isPlain(value.utf8.span) {
            octets += value.utf8
        } else {
            append(escaping: Array(value.utf8))
        }
    }

    /// Appends octets to a field.
    mutating func append(escaping value: [UInt8]) {
        if Self.isPlain(value.span) {
            octets += value
            return
        }
        for octet in value {
            if 0x20...0x7E ~= octet, octet != 0x5C {
                octets.append(octet)
            } else {
                octets.append(0x5C)
                octets.append(Self.digits[Int(octet >> 4)])
                octets.append(Self.digits[Int(octet & 0xF)])
            }
        }
    }

    /// Whether octets stand for themselves.
    private static func isPlain(_ octets: Span<UInt8>) -> Bool {
        octets.isPrintableASCII && octets.firstIndex(of: 0x5C) == nil
    }
}
