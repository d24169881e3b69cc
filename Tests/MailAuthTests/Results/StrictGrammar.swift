/// The grammar of RFC 8601, section 2.2, without CFWS where our writer puts none: a second reader, written
/// apart from the parser, to judge what the writer makes.
struct StrictGrammar {
    private let text: [UInt8]
    private var position = 0

    /// Whether an unfolded value is in the grammar.
    static func accepts(_ value: String) -> Bool {
        var grammar = StrictGrammar(text: Array(value.utf8))
        return grammar.payload()
    }

    private init(text: [UInt8]) { self.text = text }

    private mutating func take(_ literal: String) -> Bool {
        guard text[position...].starts(with: literal.utf8) else { return false }
        position += literal.utf8.count
        return true
    }

    private mutating func run(_ allowed: (UInt8) -> Bool) -> Bool {
        let start = position
        while position < text.count, allowed(text[position]) { position += 1 }
        return position > start
    }

    private mutating func payload() -> Bool {
        guard take(" "), value() else { return false }
        if take(" "), !run({ (0x30...0x39).contains($0) }) { return false }
        if take("; none") { return position == text.count }
        repeat {
            guard take("; "), methodSpec() else { return false }
            if take(" ("), !enclosed(in: "(", ")") { return false }
            if take(" reason="), !value() { return false }
            while take(" ") {
                guard keyword(), take("."), keyword(), take("="), pvalue() else { return false }
            }
        } while position < text.count
        return true
    }

    private mutating func methodSpec() -> Bool {
        guard keyword() else { return false }
        if take("/"), !run({ (0x30...0x39).contains($0) }) { return false }
        return take("=") && keyword()
    }

    private mutating func keyword() -> Bool {
        run { Self.isLetterOrDigit($0) || $0 == 0x2D } && text[position - 1] != 0x2D
    }

    private mutating func value() -> Bool {
        take("\"") ? enclosed(in: "\"", "\"") : run { Self.isTokenOctet($0) }
    }

    private mutating func pvalue() -> Bool {
        let start = position
        if identity(), position == text.count || text[position] == 0x20 || text[position] == 0x3B {
            return true
        }
        position = start
        return value()
    }

    private mutating func identity() -> Bool {
        if take("\"") {
            guard enclosed(in: "\"", "\"") else { return false }
        } else {
            _ = run { $0 >= 0x80 || Self.isTokenOctet($0) || "?=/".utf8.contains($0) }
        }
        guard take("@") else { return false }
        return run { Self.isLetterOrDigit($0) || $0 == 0x2D || $0 == 0x2E }
    }

    /// The rest of a string or comment whose opening mark was taken.
    private mutating func enclosed(in open: String, _ close: String) -> Bool {
        while position < text.count {
            if take(close) { return true }
            if take("\\") {
                guard position < text.count else { return false }
            } else if text[position...].starts(with: open.utf8) {
                return false
            }
            guard text[position] >= 0x20, text[position] != 0x7F else { return false }
            position += 1
        }
        return false
    }

    private static func isLetterOrDigit(_ octet: UInt8) -> Bool {
        (0x30...0x39).contains(octet) || (0x41...0x5A).contains(octet)
            || (0x61...0x7A).contains(octet)
    }

    private static func isTokenOctet(_ octet: UInt8) -> Bool {
        octet > 0x20 && octet < 0x7F && !"()<>@,;:\\\"/[]?=".utf8.contains(octet)
    }
}
