import Configuration
import Testing

/// Sizes as people write them.
struct OctetCountTests {
    @Test(
        arguments: [
            ("1048576", 1_048_576), ("1M", 1_048_576), ("1m", 1_048_576), ("1024K", 1_048_576),
            ("3G", 3 << 30), ("16G", 16 << 30), ("17G", nil), ("1023K", nil), ("0", nil), ("", nil),
            ("M", nil), ("-1M", nil), ("+2M", nil), ("2 M", nil), ("2T", nil), ("2MB", nil),
            ("9223372036854775807G", nil), ("99999999999999999999", nil), ("٣M", nil),
        ] as [(String, Int64?)])
    func isRead(_ text: String, _ octets: Int64?) {
        #expect(OctetCount.parse(text, in: 1 << 20...16 << 30) == octets)
    }
}
