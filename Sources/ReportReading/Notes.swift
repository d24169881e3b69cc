/// What deviates from the standards in one report: each deviation once, with the first record that has it.
struct Notes {
    private struct Entry {
        var text: String
        var firstRecord: Int
        var records: Int
    }

    private var entries: [Entry] = []
    private var places: [String: Int] = [:]
    private var others = 0

    /// How many deviations are told apart.
    private static let limit = 40
    /// The longest text, in octets.
    private static let length = 300

    /// Adds a deviation of the whole report, or of a record by its number from 1 on.
    mutating func add(_ text: String, record: Int = 0) {
        if let place = places[text] {
            if record > 0, entries[place].firstRecord != record { entries[place].records += 1 }
            return
        }
        guard entries.count < Self.limit else {
            others += 1
            return
        }
        places[text] = entries.count
        entries.append(Entry(text: text, firstRecord: record, records: 1))
    }

    /// The sentences, in the order in which they came up.
    var sentences: [String] {
        var sentences = entries.map { entry in
            let text = PlainText.line(entry.text, atMost: Self.length)
            guard entry.firstRecord > 0 else { return text }
            let more = entry.records - 1
            return "record \(entry.firstRecord)\(more > 0 ? " and \(more) more" : ""): \(text)"
        }
        if others > 0 { sentences.append("\(others) further deviations are not listed") }
        return sentences
    }
}
