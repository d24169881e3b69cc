/// Octets as printable text, for the facts of a record: fields with tabs between them.
///
/// Trust: what is read back may be anything; linear time.
enum EvidenceText {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Octets in which nothing but printable ASCII stands for itself; `\\0a` is a line feed.
    static func escaped(_ octets: some Sequence<UInt8>) -> String {
        var text: [UInt8] = []
        text.reserveCapacity(octets.underestimatedCount)
        for octet in octets {
            if 0x20...0x7E ~= octet, octet != 0x5C {
                text.append(octet)
            } else {
                text.append(0x5C)
                text.append(digits[Int(octet >> 4)])
                text.append(digits[Int(octet & 0xF)])
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// The octets that a text stands for; nil where it is none of ours.
    static func octets(_ text: some StringProtocol) -> [UInt8]? {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let octet = rest.popFirst() {
            guard octet == 0x5C else {
                octets.append(octet)
                continue
            }
            guard let high = rest.popFirst().flatMap(value),
                let low = rest.popFirst().flatMap(value)
            else { return nil }
            octets.append(high << 4 | low)
        }
        return octets
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case 0x30...0x39: digit - 0x30
        case 0x61...0x66: digit - 0x57
        default: nil
        }
    }

    /// A number of seconds in whole microseconds; 0 for what no clock says.
    static func microseconds(_ seconds: Double) -> String {
        "\(Int64(exactly: (seconds * 1e6).rounded()) ?? 0)"
    }

    /// One fact: its kind and its fields.
    static func fact(_ kind: String, _ fields: [String]) -> String {
        ([kind] + fields).joined(separator: "\t")
    }

    /// The fields of a fact, its kind first.
    static func fields(_ fact: String) -> [Substring] {
        fact.split(separator: "\t", omittingEmptySubsequences: false)
    }
}
