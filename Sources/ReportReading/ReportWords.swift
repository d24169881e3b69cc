/// The words of aggregate reports, and what is read in place of words that are none.
enum ReportWords {
    /// What a word was read as, and what is wrong with it.
    typealias Reading = (word: String, note: String?)

    private static let dkim: Set<String> = [
        "none", "pass", "fail", "policy", "neutral", "temperror", "permerror",
    ]
    private static let spf: Set<String> = [
        "none", "neutral", "pass", "fail", "softfail", "temperror", "permerror",
    ]
    /// Words of old drafts and of some programs.
    private static let replaced: [String: String] = [
        "hardfail": "fail", "error": "temperror", "unknown": "permerror", "invalid": "permerror",
        "hard_fail": "fail", "soft_fail": "softfail", "softfail": "fail",
    ]

    /// A result of DKIM.
    static func dkim(_ text: String) -> Reading { read(text, dkim, "DKIM result", or: "none") }

    /// A result of SPF.
    static func spf(_ text: String) -> Reading { read(text, spf, "SPF result", or: "none") }

    /// Whether a mechanism passed in alignment: pass or fail.
    static func aligned(_ text: String, _ mechanism: String) -> Reading {
        read(text, ["pass", "fail"], "\(mechanism) in policy_evaluated", or: "fail")
    }

    /// What was done; "pass" is RFC 9990's word for mail that passed.
    static func disposition(_ text: String) -> Reading {
        read(text, ["none", "pass", "quarantine", "reject"], "disposition", or: "none")
    }

    private static func read(
        _ text: String, _ words: Set<String>, _ what: String, or otherwise: String
    ) -> Reading {
        if words.contains(text) { return (text, nil) }
        if text.isEmpty { return (otherwise, "\(what) is empty: read as \"\(otherwise)\"") }
        let lower = text.lowercased()
        if words.contains(lower) {
            return (lower, "\(what) \"\(text)\" is not in lower case: read as \"\(lower)\"")
        }
        let word = replaced[lower].flatMap { words.contains($0) ? $0 : nil } ?? otherwise
        return (word, "\(what) \"\(text)\" is not a word of the format: read as \"\(word)\"")
    }
}
