internal import MailSyntax

/// Decides whether a field claims to be ours: whether any reader could take it for one.
///
/// The question is asked of fields that nobody can parse, too, so it is answered generously. What stands
/// before the first semicolon is read as an identifier in every way that occurs to a lenient reader: with
/// comments and white space before, within and after it; quoted whole or in parts; after stray marks; with
/// a version or anything else behind it; with a "/" and a job identifier. An encoded word there could spell
/// anything, and is a claim; so is a name of no domain with characters that compatibility mapping makes others
/// of, such as full-width letters. Another host's identifier, in the grammar of RFC 8601, never is.
///
/// Trust: hostile text. Linear time: each octet is looked at a fixed number of times. What is costly, text outside ASCII and
/// names in it, has a budget for a whole message; a field beyond it is a claim.
struct AuthservIDClaim {
    /// Identifiers longer than this are nobody's.
    private static let maximumSpelling = 1_024
    /// After so many pieces outside ASCII nobody could have meant it honestly.
    private static let maximumConversions = 16

    /// How much text outside ASCII is looked at in the fields of one message.
    struct Budget {
        /// In octets: more than all that honest services put there.
        private var octets = 160_000
        /// What it takes to make a domain name of a text, in octets that are looked at.
        private static let name = 1_024

        /// Takes the cost of looking at a word; false if it is used up.
        mutating func takeWord(_ count: Int) -> Bool { take(count) }

        /// Takes the cost of making a domain name; false if it is used up.
        mutating func takeName() -> Bool { take(Self.name) }

        private mutating func take(_ cost: Int) -> Bool {
            octets -= cost
            return octets >= 0
        }
    }

    private let ours: [UInt8]
    /// Whether text outside ASCII can be another spelling of it.
    private let isInternational: Bool
    private var budget: Budget
    private var spelled: [UInt8] = []
    /// How much of `spelled` is in `shown`.
    private var compared = 0
    /// What was spelled as readers see it: without the characters that they do not.
    private var shown: [UInt8] = []
    private var isASCII = true
    /// Whether compatibility mapping makes another character of one of them.
    private var isMappable = false
    private var conversions = 0
    /// A quote or a comment has no end, so that readers differ over what is quoted.
    private var isBroken = false
    private var isClaim = false

    private init(_ id: AuthservID, _ budget: Budget) {
        self.budget = budget
        // As `spelled` is: without white space, and without marks before the first word.
        let spelled = id.canonical.filter { !$0.isFoldingSpace }.drop(while: ResultsText.isTspecial)
        ours = Array(Self.withoutOuterDots(spelled[...]))
        isInternational =
            ours.contains { $0 >= 0x80 }
            || String(decoding: ours, as: UTF8.self).split(separator: ".").contains {
                $0.hasPrefix("xn--")
            }
    }

    /// What readers compare who take away all dots at the ends of a name, not the last one alone.
    private static func withoutOuterDots(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let dot = UInt8(ascii: ".")
        guard let last = octets.lastIndex(where: { $0 != dot }) else { return [] }
        return octets[...last].drop { $0 == dot }
    }

    /// Whether the value of an Authentication-Results field claims an identifier.
    static func isMade(
        by value: Span<UInt8>, of id: AuthservID, _ budget: inout Budget
    ) -> Bool {
        var claim = AuthservIDClaim(id, budget)
        guard !claim.ours.isEmpty else { return false }
        claim.read(value)
        budget = claim.budget
        return claim.isClaim
    }

    private mutating func read(_ value: Span<UInt8>) {
        var position = 0
        while position < value.count, !isClaim, spelled.count <= Self.maximumSpelling {
            let octet = value[position]
            switch octet {
            case UInt8(ascii: ";"):
                compare()
                // A semicolon before any identifier is a stray mark.
                if !spelled.isEmpty { return }
                position += 1
            case UInt8(ascii: "("):
                compare()
                position = isBroken ? position + 1 : endOfComment(value, at: position)
            case UInt8(ascii: "\""):
                position = isBroken ? position + 1 : endOfQuoted(value, at: position)
            case UInt8(ascii: "="):
                if position + 1 < value.count, value[position + 1] == UInt8(ascii: "?") {
                    isClaim = true
                }
                take(octet)
                position += 1
            case UInt8(ascii: "\\"):
                position += 1
            case _ where octet == .space || octet.isASCIIControl:
                compare()
                position += 1
            default:
                take(octet)
                position += 1
            }
        }
        compare()
    }

    /// Takes one octet of a word, or a mark, which ends a word and is dropped before the first one.
    private mutating func take(_ octet: UInt8) {
        guard ResultsText.isTspecial(octet) else {
            spelled.append(octet)
            return
        }
        compare()
        if !spelled.isEmpty { spelled.append(octet) }
    }

    private mutating func endOfComment(_ value: Span<UInt8>, at start: Int) -> Int {
        guard let end = ResultsText.endOfComment(value, at: start) else {
            isBroken = true
            return start + 1
        }
        return end
    }

    private mutating func endOfQuoted(_ value: Span<UInt8>, at start: Int) -> Int {
        guard let end = ResultsText.endOfQuotedString(value, at: start) else {
            isBroken = true
            return start + 1
        }
        for index in start + 1..<end - 1 where spelled.count <= Self.maximumSpelling {
            let octet = value[index]
            if octet == .space || octet.isASCIIControl {
                compare()
            } else if octet != UInt8(ascii: "\\") {
                take(octet)
            }
        }
        compare()
        return end
    }

    /// Asks, at the end of a word, whether what was spelled so far is our identifier.
    private mutating func compare() {
        guard spelled.count > compared else { return }
        let word = spelled[compared...]
        compared = spelled.count
        let start = shown.count
        if word.allSatisfy({ $0 < 0x80 }) {
            shown += word
        } else {
            guard budget.takeWord(word.count) else {
                isClaim = true
                return
            }
            let visible = AuthservID.visible(word)
            isMappable = isMappable || AuthservID.isMappable(visible)
            shown += visible.utf8
            if shown[start...].contains(where: { $0 >= 0x80 }) { isASCII = false }
        }
        compare(shown[...])
        if isBroken { compare(shown[start...]) }
    }

    private mutating func compare(_ text: ArraySlice<UInt8>) {
        let candidate = Self.withoutOuterDots(text)
        guard !isASCII else {
            if candidate.count == ours.count, candidate.asciiLowercased == ours { isClaim = true }
            return
        }
        conversions += 1
        guard conversions <= Self.maximumConversions else {
            isClaim = true
            return
        }
        guard candidate.contains(where: { $0 >= 0x80 }) else {
            if candidate.asciiLowercased == ours { isClaim = true }
            return
        }
        guard isMappable || isInternational else { return }
        guard budget.takeName() else {
            isClaim = true
            return
        }
        let name = try? DomainName(bytes: candidate)
        // A U-label has no characters that are mapped (RFC 5892, section 2.2).
        if isMappable, name == nil { isClaim = true }
        let canonical = name.map { Array($0.ascii.utf8) } ?? candidate.asciiLowercased
        if canonical == ours { isClaim = true }
    }
}
