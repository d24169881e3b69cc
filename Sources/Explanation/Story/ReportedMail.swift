internal import FlightRecord

/// What a receiver has reported about mail of a domain, of one day and from one source.
package struct ReportedMail: Hashable, Sendable {
    /// The reporter's domain.
    package let reporter: String
    /// The address that the mail came from.
    package let source: String
    /// How many messages.
    package var messages: Int64
    /// Whether the signature's domain was aligned.
    package let isDKIMAligned: Bool
    /// Whether SPF's was.
    package let isSPFAligned: Bool
    /// What the receiver did: `none`, `quarantine`, `reject`.
    package let disposition: String

    /// Describes what was reported.
    package init(
        reporter: String, source: String, messages: Int64, isDKIMAligned: Bool,
        isSPFAligned: Bool, disposition: String
    ) {
        self.reporter = reporter
        self.source = source
        self.messages = messages
        self.isDKIMAligned = isDKIMAligned
        self.isSPFAligned = isSPFAligned
        self.disposition = disposition
    }

    /// What was reported, in a line.
    package var line: String {
        let aligned =
            switch (isDKIMAligned, isSPFAligned) {
            case (true, true): "DKIM and SPF aligned"
            case (true, false): "DKIM aligned"
            case (false, true): "SPF aligned"
            case (false, false): "DMARC failed"
            }
        let count = messages == 1 ? "1 message" : "\(messages) messages"
        return "\(reporter): \(count) from \(source), \(aligned), disposition \(disposition)"
    }
}

extension MessageStory {
    /// The domain and the day, in days since 1970, that receivers report a message of ours under; nil for mail
    /// of others.
    package var reportedAs: (domain: String, day: Int64)? {
        let ours = entries.contains { entry in
            entry.daemon == .dkim && ["signed", "unsigned"].contains(entry[.verdict] ?? "")
        }
        guard ours, let author = authors.first, time != .max else { return nil }
        return (author, time / 86_400_000_000)
    }
}
