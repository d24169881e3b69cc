internal import Foundation
import TestKit

/// The header section of a message before and after, side by side.
struct Comparison {
    /// The two columns, a field on a line.
    let lines: [String]
    /// All that is left.
    let after: String

    private static let widest = 116
    private static let widestLeft = 44

    /// Compares what somebody sent with what arrived, in so many columns; what the signers added is left out.
    init(before: SMTPSink.Message, after: SMTPSink.Message, columns: Int = widest) {
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
        let columns = min(columns, Self.widest)
        let left = min(Self.widestLeft, columns / 2)
        lines = rows.map {
            Self.cut($0, to: left - 2).padding(toLength: left, withPad: " ", startingAt: 0)
                + Self.cut($1, to: columns - left)
        }
    }

    private static func cut(_ field: String, to length: Int) -> String {
        let line = field.replacing("\r\n", with: "").replacing("\t", with: " ")
        return line.count > length ? line.prefix(length - 1) + "…" : line
    }
}
