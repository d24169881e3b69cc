/// Facts of a record as they are read: printable text, fields with tabs between them, as
/// ``EvidenceLines`` writes them.
///
/// Trust: what is read back may be anything; linear time.
enum EvidenceText {
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

    /// The fields of a fact, its kind first.
    static func fields(_ fact: String) -> [Substring] {
        fact.split(separator: "\t", omittingEmptySubsequences: false)
    }
}
