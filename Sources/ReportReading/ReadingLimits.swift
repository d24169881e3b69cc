/// How much of what a stranger sends is read.
package struct ReadingLimits: Sendable {
    /// The largest mail or file, in octets.
    package var message = 25 << 20
    /// How many octets all reports of a mail may have when they are unpacked.
    package var unpacked = 100 << 20
    /// How many octets may come of one, once there are more than `ratioFloor`.
    package var ratio = 250
    /// How many octets any contents may have, however well they were packed.
    package var ratioFloor = 8 << 20
    /// How deep archives may be in archives, and messages in messages.
    package var depth = 3
    /// The largest archive in an archive, in octets.
    package var nested = 4 << 20
    /// How deep parts of a message may be in parts.
    package var nesting = 8
    /// How many parts a message may have, and how many files an archive.
    package var parts = 256
    /// How many octets a header section may have.
    package var header = 256 << 10
    /// The largest document that is kept for a second attempt, in octets.
    package var mended = 4 << 20
    /// The largest SMTP TLS report, in octets.
    package var json = 4 << 20
    /// How many octets of XML may pass without an element or a text: the longest tag or comment.
    package var markup = 1 << 20
    /// How many attributes, and elements that the format does not have: expat remembers the name of each.
    package var names = 1_000_000
    /// How many records an aggregate report may have.
    package var records = 2_000_000
    /// How many rows that differ.
    package var rows = 100_000
    /// How many octets of names and results that differ.
    package var verdictText = 8 << 20

    /// Whether the time for one mail or file is over; asked after each piece.
    package var isOutOfTime: @Sendable () -> Bool = { false }

    /// The limits that hold unless a test asks for others.
    package init() {}

    /// The greatest number of messages or sessions that is believed, of a row and of a whole report: the sums of many
    /// reports, and a thousand times these, are still numbers.
    static let greatestCount: Int64 = 1_000_000_000_000
}

extension ReadingLimits {
    /// Goes on while there is time.
    func requireTime() throws(ReportRefusal) {
        guard isOutOfTime() else { return }
        throw ReportRefusal(nil, "it takes too long to read, and is not read to its end")
    }
}

/// Why something is not read as a report.
package struct ReportRefusal: Error, Hashable, Sendable {
    /// What it would have been, as far as that can be told.
    package var kind: ReportKind?
    /// The reason, in words that the sender could act on.
    package var reason: String
    /// Who made it, as far as it was read.
    package var reporter = ""
    /// The Report-ID, as far as it was read.
    package var id = ""
    /// The policy domain, as far as it was read.
    package var domain = ""
    /// What else is to be said.
    package var notes: [String] = []

    /// A refusal.
    package init(_ kind: ReportKind?, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
