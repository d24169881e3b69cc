internal import DaemonKit
internal import MailSyntax

/// Rules in their order; the first that matches a field decides about it, and a field that none matches stays.
///
/// Trust: the rules are the postmaster's, the fields anybody's. A field costs time in proportion to its length for each rule.
public struct RuleList: Sendable {
    /// The rules, in their order.
    public let rules: [ScrubRule]

    /// Positions of rules for one name, by the name's length: most fields meet none.
    private let literals: [[Int]]
    /// Positions of rules with wildcards in the name.
    private let patterns: [Int]

    /// Makes a list.
    public init(_ rules: [ScrubRule]) {
        self.rules = rules
        var literals: [[Int]] = []
        var patterns: [Int] = []
        for (position, rule) in rules.enumerated() {
            guard let name = rule.literalName else {
                patterns.append(position)
                continue
            }
            while literals.count <= name.count { literals.append([]) }
            literals[name.count].append(position)
        }
        self.literals = literals
        self.patterns = patterns
    }

    /// The first rule that matches a field; nil where none does.
    func rule(for position: Int, of header: HeaderSection) -> ScrubRule? {
        let nameRange = header.fields[position].name
        let name = header.bytes.span.extracting(nameRange)
        let exact = name.count < literals.count ? literals[name.count] : []
        guard !exact.isEmpty || !patterns.isEmpty else { return nil }
        var isStandard: Bool?
        var value: [UInt8]?
        var (nextExact, nextPattern) = (0, 0)
        // The two lists are ascending: taken together they are the rules in their order.
        while nextExact < exact.count || nextPattern < patterns.count {
            let candidate: Int
            if nextPattern == patterns.count
                || (nextExact < exact.count && exact[nextExact] < patterns[nextPattern])
            {
                candidate = exact[nextExact]
                nextExact += 1
            } else {
                candidate = patterns[nextPattern]
                nextPattern += 1
            }
            let rule = rules[candidate]
            guard rule.matches(name: name) else { continue }
            if rule.literalName == nil, rule.action == .remove {
                // A Keep may be as wide as it likes; a removal only reaches what is not standard.
                let known =
                    isStandard
                    ?? ProtectedFields.isStandard(FieldName(bytes: header.name(of: position)))
                isStandard = known
                if known { continue }
            }
            guard let wanted = rule.value else { return rule }
            if value == nil { value = Self.unfolded(header.value(of: position)) }
            if let value, wanted.matches(value.span) { return rule }
        }
        return nil
    }

    /// A value without its folds (RFC 5322, section 2.2.3) and without white space at its ends.
    private static func unfolded(_ value: ArraySlice<UInt8>) -> [UInt8] {
        value.trimmingFoldingSpace().filter { $0 != .cr && $0 != .lf }
    }
}
