/// Changes to the text of DMARC records, tag by tag; texts that break the grammar may be among them.
enum DMARCText {
    /// The record without the tags whose names are not wanted; what is no tag has an empty name.
    static func without(_ text: String, _ isUnwanted: (String) -> Bool) -> String {
        let kept = pieces(text).filter { !isUnwanted(name($0)) }
        return kept.joined(separator: "; ")
    }

    /// The record with the first of several tags of one name alone.
    static func once(_ text: String, _ tag: String) -> String {
        var seen = false
        let kept = pieces(text).filter { piece in
            guard name(piece) == tag else { return true }
            defer { seen = true }
            return !seen
        }
        return kept.joined(separator: "; ")
    }

    /// The record with policies that can be read: those that cannot are left out, and p= is there.
    static func withPolicies(_ text: String) -> String {
        var kept = pieces(text)
        for tag in ["p", "sp", "np"] {
            let places = kept.indices.filter { name(kept[$0]) == tag }
            let words = places.map { value(kept[$0]) }
            let word = words.first { ["none", "quarantine", "reject"].contains($0) }
            for place in places.reversed() { kept.remove(at: place) }
            if let word = word ?? (tag == "p" ? "none" : nil) {
                kept.insert("\(tag)=\(word)", at: min(tag == "p" ? 1 : 2, kept.count))
            }
        }
        return kept.joined(separator: "; ")
    }

    /// Whether an address has the size limit of RFC 7489.
    static func hasSizeLimit(_ text: String) -> Bool { withoutSizeLimits(text) != joined(text) }

    /// The record without the size limits of RFC 7489, as in `mailto:a@example.org!10m`.
    static func withoutSizeLimits(_ text: String) -> String {
        pieces(text).map { piece in
            guard ["rua", "ruf"].contains(name(piece)) else { return piece }
            return piece.split(separator: ",", omittingEmptySubsequences: false)
                .map { $0.prefix { $0 != "!" } }.joined(separator: ",")
        }.joined(separator: "; ")
    }

    /// The record with `mailto:` before addresses that stand bare in "rua" and "ruf".
    static func withMailto(_ text: String) -> String {
        pieces(text).map { piece in
            guard ["rua", "ruf"].contains(name(piece)) else { return piece }
            let addresses = value(piece).split(separator: ",").map { trimmed($0) }
            let whole = addresses.map {
                $0.contains(":") || !$0.contains("@") ? $0 : "mailto:\($0)"
            }
            return "\(name(piece))=\(whole.joined(separator: ","))"
        }.joined(separator: "; ")
    }

    private static func joined(_ text: String) -> String {
        pieces(text).joined(separator: "; ")
    }

    private static func pieces(_ text: String) -> [String] {
        text.split(separator: ";").map { trimmed($0) }.filter { !$0.isEmpty }
    }

    private static func name(_ piece: String) -> String {
        guard let equals = piece.firstIndex(of: "=") else { return "" }
        return trimmed(piece[..<equals]).lowercased()
    }

    private static func value(_ piece: String) -> String {
        guard let equals = piece.firstIndex(of: "=") else { return "" }
        return trimmed(piece[piece.index(after: equals)...]).lowercased()
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        let end = start.lastIndex { $0 != " " && $0 != "\t" }
        return end.map { String(start[...$0]) } ?? ""
    }
}

extension String {
    /// The text without semicolons and blanks at its end.
    var trimmingEnd: String {
        let end = lastIndex { $0 != " " && $0 != ";" }
        return end.map { String(self[...$0]) } ?? ""
    }
}
