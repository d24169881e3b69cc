/// A line in which policyd-spf says what it has found (debugLevel 1 or more): the field that it prepends.
///
/// Two forms are known, by Header_Type: `prepend Received-SPF: Pass (mailfrom) identity=mailfrom; client-ip=…; helo=…; …` and
/// `prepend Authentication-Results: ID; spf=pass (…) smtp.mailfrom=DOMAIN (client-ip=…; helo=…; …)`.
///
/// Trust: HELO and sender are a stranger's. A line is compared with what ours has found, and nothing else is done with it.
package struct PolicydLine: Hashable, Sendable {
    /// The result, in small letters.
    package let result: String
    /// Whether it is about the name in HELO, and not about the sender.
    package let isOfHelo: Bool
    /// The client's address as the line has it.
    package let client: String
    /// What the client said in HELO or EHLO.
    package let helo: String
    /// The reverse-path; `<>` for the null one.
    package let sender: String

    /// Reads the text of a line, without time and program; nil for any other line.
    package init?(_ text: String) {
        let kinds: [(mark: String, prefix: String)] = [
            ("Received-SPF: ", ""), ("Authentication-Results: ", "spf="),
        ]
        // What comes first is the program's; a stranger's words follow.
        let marks = kinds.compactMap { kind in
            text.firstRange(of: kind.mark).map { (range: $0, prefix: kind.prefix) }
        }
        guard let (range, prefix) = marks.min(by: { $0.range.lowerBound < $1.range.lowerBound })
        else { return nil }
        let start = range.upperBound
        let words = text[start...].split { $0 == " " || $0 == ";" }
        guard let word = words.first(where: { $0.hasPrefix(prefix) }),
            let client = Self.value(of: "client-ip", in: text[start...]),
            let helo = Self.value(of: "helo", in: text[start...]),
            let sender = Self.value(of: "envelope-from", in: text[start...])
        else { return nil }
        result = word.dropFirst(prefix.count).lowercased()
        isOfHelo =
            prefix.isEmpty
            ? Self.value(of: "identity", in: text[start...]) == "helo"
            : text.contains(" smtp.helo=")
        (self.client, self.helo) = (client, helo)
        self.sender = sender.isEmpty ? "<>" : sender
    }

    /// The value of a pair: what stands between its name and the next semicolon.
    private static func value(of name: String, in text: Substring) -> String? {
        for start in [" \(name)=", "(\(name)="] {
            guard let place = text.firstRange(of: start) else { continue }
            return text[place.upperBound...].prefix { $0 != ";" && $0 != ")" }
                .trimmed(of: " \"")
        }
        return nil
    }
}

extension Substring {
    /// The text without some characters at its ends.
    fileprivate func trimmed(of characters: String) -> String {
        let start = drop { characters.contains($0) }
        return String(String(start.reversed().drop { characters.contains($0) }).reversed())
    }
}
