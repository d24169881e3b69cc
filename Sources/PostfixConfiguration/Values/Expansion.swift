/// Why a value cannot be expanded: Postfix's programs end with "macro processing error".
package struct ExpansionFault: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong with the value.
    package let description: String
}

/// The expansion of `$name` in values (postconf(5), mac_expand(3)).
///
/// Trust: bounded in depth, references and size, since parameters may refer to each other in a circle, and each to the
/// next one twice.
struct Expansion {
    private static let deepest = 100
    private static let mostReferences = 10_000
    private static let longest = 1 << 20

    /// The value of a parameter before its expansion; nil where there is no such parameter.
    let lookUp: (String) -> String?
    private var references = 0
    private var size = 0
    /// Parameters that nothing defines, for which the empty value is used.
    private(set) var undefined: [String] = []

    init(lookUp: @escaping (String) -> String?) { self.lookUp = lookUp }

    /// A value with its references replaced.
    mutating func expand(_ value: String, depth: Int = 0) throws(ExpansionFault) -> String {
        let text = Array(value.utf8)
        guard depth < Self.deepest else {
            throw fault("parameters refer to each other too deeply", text)
        }
        var result: [UInt8] = []
        var position = 0
        while position < text.count {
            guard text[position] == UInt8(ascii: "$") else {
                result.append(text[position])
                position += 1
                continue
            }
            let next = position + 1 < text.count ? text[position + 1] : 0
            if next == UInt8(ascii: "$") {
                result.append(next)
                position += 2
                continue
            }
            references += 1
            guard references <= Self.mostReferences else {
                throw fault("too many references", text)
            }
            if next == UInt8(ascii: "{") || next == UInt8(ascii: "(") {
                guard let end = Self.closing(text, from: position + 1) else {
                    throw fault("a reference has no closing bracket", text)
                }
                result += try reference(Array(text[(position + 2)..<end]), depth: depth)
                position = end + 1
            } else {
                let start = position + 1
                let end = text[start...].firstIndex { !Self.isName($0) } ?? text.count
                guard end > start else { throw fault("\"$\" without a name", text) }
                result += try parameter(text[start..<end], depth: depth)
                position = end
            }
            size += result.count
            guard size <= Self.longest else { throw fault("the value becomes too long", text) }
        }
        return String(decoding: result, as: UTF8.self)
    }

    /// What stands for the inside of `${…}`: a name or a comparison, and what depends on it.
    private mutating func reference(
        _ text: [UInt8], depth: Int
    ) throws(ExpansionFault) -> [UInt8] {
        var rest = Cursor(text)
        rest.skipSpace()
        let holds: Bool
        let value: [UInt8]
        if rest.next == UInt8(ascii: "{") {
            holds = try comparison(&rest, depth: depth)
            value = holds ? Array("true".utf8) : []
        } else {
            let name = rest.take(while: Self.isName)
            guard !name.isEmpty else { throw fault("\"${\" without a name", text) }
            rest.skipSpace()
            guard rest.isAtEnd || rest.isAtCondition else {
                throw fault("an illegal name in \"${\"", text)
            }
            value = try parameter(name[...], depth: depth)
            holds = !value.isEmpty
        }
        rest.skipSpace()
        guard !rest.isAtEnd else { return value }
        let choice = try Self.choice(&rest, text)
        let taken = holds ? choice.ifTrue : choice.ifFalse
        return Array(try expand(String(decoding: taken, as: UTF8.self), depth: depth + 1).utf8)
    }

    private mutating func parameter(
        _ name: ArraySlice<UInt8>, depth: Int
    ) throws(ExpansionFault) -> [UInt8] {
        let name = String(decoding: name, as: UTF8.self)
        guard let value = lookUp(name) else {
            if !undefined.contains(name) { undefined.append(name) }
            return []
        }
        return Array(try expand(value, depth: depth + 1).utf8)
    }

    /// `{left} OPERATOR {right}`.
    private mutating func comparison(
        _ rest: inout Cursor, depth: Int
    ) throws(ExpansionFault) -> Bool {
        let text = rest.text
        guard let left = rest.takeBraces() else { throw fault("a brace is not closed", text) }
        rest.skipSpace()
        let sign = rest.take { "<>=!".utf8.contains($0) }
        let word = rest.take(while: Self.isName)
        rest.skipSpace()
        guard let right = rest.takeBraces(),
            let comparison = Comparison(sign: sign, word: word)
        else { throw fault("a comparison is not of the form \"{a} == {b}\"", text) }
        return comparison.holds(
            try expand(String(decoding: left, as: UTF8.self), depth: depth + 1),
            try expand(String(decoding: right, as: UTF8.self), depth: depth + 1))
    }

    /// `?value`, `:value`, `?{value}` or `?{value}:value`.
    private static func choice(
        _ rest: inout Cursor, _ text: [UInt8]
    ) throws(ExpansionFault) -> (ifTrue: [UInt8], ifFalse: [UInt8]) {
        guard let condition = rest.takeCondition() else {
            throw Expansion.fault("\"?\" or \":\" is expected", text)
        }
        rest.skipSpace()
        guard condition == UInt8(ascii: "?") else { return ([], rest.takeBracesOrRest()) }
        guard let first = rest.takeBraces() else { return (rest.takeRest(), []) }
        rest.skipSpace()
        guard !rest.isAtEnd else { return (first, []) }
        guard rest.takeCondition() == UInt8(ascii: ":") else {
            throw Expansion.fault("\":\" is expected", text)
        }
        rest.skipSpace()
        return (first, rest.takeBracesOrRest())
    }

    /// Where the bracket closes that opens at a position (balpar()).
    static func closing(_ text: [UInt8], from start: Int) -> Int? {
        let open = text[start]
        let close = open == UInt8(ascii: "{") ? UInt8(ascii: "}") : UInt8(ascii: ")")
        var depth = 0
        for index in start..<text.count {
            if text[index] == open { depth += 1 }
            if text[index] == close { depth -= 1 }
            if depth == 0 { return index }
        }
        return nil
    }

    static func isName(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private func fault(_ what: String, _ text: [UInt8]) -> ExpansionFault { Self.fault(what, text) }

    private static func fault(_ what: String, _ text: [UInt8]) -> ExpansionFault {
        ExpansionFault(
            description: "\(what): \"\(String(decoding: text.prefix(80), as: UTF8.self))\"")
    }
}

/// A place in a text that is read from left to right.
private struct Cursor {
    let text: [UInt8]
    private var position = 0

    init(_ text: [UInt8]) { self.text = text }

    var isAtEnd: Bool { position >= text.count }
    var next: UInt8? { isAtEnd ? nil : text[position] }
    var isAtCondition: Bool { next == UInt8(ascii: "?") || next == UInt8(ascii: ":") }

    mutating func skipSpace() { _ = take(while: isSpace) }

    mutating func take(while fits: (UInt8) -> Bool) -> [UInt8] {
        let start = position
        while let octet = next, fits(octet) { position += 1 }
        return Array(text[start..<position])
    }

    mutating func takeCondition() -> UInt8? {
        guard isAtCondition else { return nil }
        defer { position += 1 }
        return next
    }

    mutating func takeRest() -> [UInt8] {
        defer { position = text.count }
        return Array(text[min(position, text.count)...])
    }

    /// What braces enclose, trimmed; nil where none open here or they are not closed.
    mutating func takeBraces() -> [UInt8]? {
        guard next == UInt8(ascii: "{"), let end = Expansion.closing(text, from: position) else {
            return nil
        }
        let inner = TextWords.trimmed(text, (position + 1)..<end)
        position = end + 1
        return Array(text[inner])
    }

    mutating func takeBracesOrRest() -> [UInt8] { takeBraces() ?? takeRest() }
}

/// A relational operator.
private struct Comparison {
    private let sign: String
    private let comparesLevels: Bool

    init?(sign: [UInt8], word: [UInt8]) {
        self.sign = String(decoding: sign, as: UTF8.self)
        comparesLevels = word == Array("level".utf8)
        guard ["==", "!=", "<", "<=", ">", ">="].contains(self.sign), comparesLevels || word.isEmpty
        else { return nil }
    }

    func holds(_ left: String, _ right: String) -> Bool {
        let order = comparesLevels ? Self.levels(left, right) : Self.order(left, right)
        return switch sign {
        case "==": order == 0
        case "!=": order != 0
        case "<": order < 0
        case "<=": order <= 0
        case ">": order > 0
        default: order >= 0
        }
    }

    /// Numerically if both are digits alone, else octet by octet.
    private static func order(_ left: String, _ right: String) -> Int {
        let isNumber = { (text: String) in
            !text.isEmpty && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        if isNumber(left), isNumber(right), let left = Int(left), let right = Int(right) {
            return left < right ? -1 : left > right ? 1 : 0
        }
        let (left, right) = (Array(left.utf8), Array(right.utf8))
        return left.lexicographicallyPrecedes(right)
            ? -1 : right.lexicographicallyPrecedes(left) ? 1 : 0
    }

    /// `major.minor.patch`, parts that are missing being 0.
    private static func levels(_ left: String, _ right: String) -> Int {
        let parts = { (text: String) in
            (text.split(separator: ".").map { Int($0) ?? 0 } + [0, 0, 0]).prefix(3)
        }
        let (left, right) = (parts(left), parts(right))
        return left.lexicographicallyPrecedes(right)
            ? -1 : right.lexicographicallyPrecedes(left) ? 1 : 0
    }
}
