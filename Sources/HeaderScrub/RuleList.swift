internal import Configuration
internal import MailSyntax

/// Rules in their order; the first that matches a field decides about it, and a field that none matches stays.
///
/// Trust: the rules are the postmaster's, the fields anybody's. A field costs time in proportion to its length for each rule.
public struct RuleList: Sendable {
    /// The rules, in their order.
    public let rules: [ScrubRule]

    /// The beginning of a rule's name, which most fields do not have: all that is looked at of most
    /// rules.
    private struct Candidate: Sendable {
        let head: NameHead
        let index: Int
    }

    /// The rules that can match a name, in their order, by the slot of its first octets.
    private let candidates: [[Candidate]]

    /// Makes a list.
    public init(_ rules: [ScrubRule]) {
        self.rules = rules
        let all = rules.indices.map { Candidate(head: rules[$0].head, index: $0) }
        candidates = (0..<NameHead.slots).map { slot in
            all.filter { $0.head.count < NameHead.slotOctets || $0.head.slot == slot }
        }
    }

    /// The position of the first rule that matches a field; nil where none does.
    func firstIndex(
        matching position: Int, of header: HeaderSection, _ witness: inout RuleWitness
    ) -> Int? {
        let name = header.bytes.span.extracting(header.fields[position].name)
        let head = NameHead(name)
        var value: [UInt8]?
        for candidate in candidates[head.slot] where candidate.head.canBegin(head) {
            let index = candidate.index
            guard rules[index].name.matches(name) else { continue }
            // A Keep may be as wide as it likes; a removal by wildcard only reaches what is not standard.
            if rules[index].action == .remove, !rules[index].name.isLiteral,
                ProtectedFields.isStandard(name)
            {
                continue
            }
            guard let wanted = rules[index].value else { return index }
            let isMatch = witness.matches(
                rules[index], at: position,
                named: String(decoding: header.name(of: position).prefix(80), as: UTF8.self)
            ) {
                let unfolded = value ?? Self.unfolded(header.value(of: position))
                value = unfolded
                return wanted.matches(unfolded.span)
            }
            if isMatch { return index }
        }
        return nil
    }

    /// A value without its folds (RFC 5322, section 2.2.3) and without white space at its ends.
    private static func unfolded(_ value: ArraySlice<UInt8>) -> [UInt8] {
        value.trimmingFoldingSpace().filter { $0 != .cr && $0 != .lf }
    }
}
