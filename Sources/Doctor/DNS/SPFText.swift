/// Changes to the text of SPF records, term by term; texts that break the grammar may be among them.
enum SPFText {
    /// One record with the terms of several, each once, and the first "all" among them at its end.
    static func merged(_ records: [[UInt8]]) -> String {
        var terms: [String] = []
        var end: String?
        for term in records.flatMap(words).dropFirst() where !isVersion(term) {
            if isAll(term) {
                end = end ?? term
            } else if !terms.contains(term) {
                terms.append(term)
            }
        }
        return (["v=spf1"] + terms + [end ?? "~all"]).joined(separator: " ")
    }

    /// The record with further terms before its "all", its "redirect" or its end.
    static func adding(_ additions: [String], to record: [UInt8]) -> String {
        var terms = words(record)
        let end = terms.firstIndex { isAll($0) || $0.lowercased().hasPrefix("redirect=") }
        terms.insert(contentsOf: additions, at: end ?? terms.count)
        return terms.joined(separator: " ")
    }

    /// The record with its terms changed, or left out for nil.
    static func changing(_ record: [UInt8], _ change: (String) -> String?) -> String {
        words(record).compactMap(change).joined(separator: " ")
    }

    /// The record with these of its mechanisms alone, and all of its modifiers.
    static func keeping(_ mechanisms: [String], of record: [UInt8]) -> String {
        var wanted = mechanisms[...]
        return changing(record) { term in
            if isVersion(term) || isModifier(term) { return term }
            guard wanted.first == term else { return nil }
            wanted.removeFirst()
            return term
        }
    }

    /// Whether a term is `name=value` (RFC 7208, section 12).
    private static func isModifier(_ term: String) -> Bool {
        let name = term.prefix { $0 != "=" && $0 != ":" && $0 != "/" }
        return term.dropFirst(name.count).first == "="
    }

    /// The record without what follows its first "all".
    static func endingAtAll(_ record: [UInt8]) -> String {
        let terms = words(record)
        let end = terms.firstIndex(where: isAll) ?? terms.count - 1
        return terms.prefix(end + 1).joined(separator: " ")
    }

    /// Whether a term is "all", with a qualifier or without.
    static func isAll(_ term: String) -> Bool {
        let name = term.first.map { "+-~?".contains($0) } == true ? term.dropFirst() : term[...]
        return name.lowercased() == "all"
    }

    private static func isVersion(_ term: String) -> Bool { term.lowercased() == "v=spf1" }

    private static func words(_ record: [UInt8]) -> [String] {
        String(decoding: record, as: UTF8.self).split(separator: " ").map(String.init)
    }
}
