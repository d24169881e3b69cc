import Testing

@testable import MailAuth

/// Spans of time as reasons give them.
struct TimeSpanTests {
    @Test(arguments: [
        (0, "0 seconds"), (1, "1 second"), (119, "119 seconds"), (120, "2 minutes"),
        (7_199, "119 minutes"), (7_200, "2 hours"), (172_799, "47 hours"), (172_800, "2 days"),
        (2_937_600, "34 days"), (-1, "-1 seconds"), (Int64.max, "106751991167300 days"),
    ])
    func `a span has a unit that people use`(_ seconds: Int64, _ text: String) {
        #expect(TimeSpan(seconds).description == text)
    }
}
