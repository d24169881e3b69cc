internal import Foundation
import TestKit

/// The header section of a message before and after, side by side.
struct Comparison {
    /// The two columns, a field on a line.
    let text: String
    /// All that is left.
    let after: String

    private static let width = 44
    private static let longest = 72

    /// Compares what somebody sent with what arrived; what the signers added is left out.
    init(before: SMTPSink.Message, after: SMTPSink.Message) {
        let added = ["dkim-signature:", "authentication-results:", "return-path:", "delivered-to:"]
        let arrived = after.fields.filter { field in
            !added.contains { field.lowercased().hasPrefix($0) }
        }
        self.after = arrived.joined(separator: "\n")
        var rows = [("AS ANN SENT IT", "AS BOB GOT IT")]
        rows += arrived.filter { $0.hasPrefix("Received:") }.map { ("", $0) }
        for field in before.fields {
            rows.append((field, arrived.contains(field) ? field : "(gone)"))
        }
        text = rows.map { left, right in
            let line = right.replacing("\r\n", with: "").replacing("\t", with: " ")
            return left.prefix(Self.width - 2).padding(
                toLength: Self.width, withPad: " ", startingAt: 0)
                + (line.count > Self.longest ? line.prefix(Self.longest - 1) + "…" : line)
        }.joined(separator: "\n")
    }
}
