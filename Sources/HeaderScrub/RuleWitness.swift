internal import Configuration

/// What the rules' patterns for values said of a message's fields: noted while a plan is made, so that
/// the plan can be made again where the values are no longer there.
public struct RuleWitness: Hashable, Sendable {
    /// A pattern, asked about a field.
    public struct Question: Hashable, Sendable {
        /// The field's position in the header section.
        public let position: Int
        /// The pattern, as the rule has it.
        public let pattern: String

        /// Names a field and a pattern.
        public init(position: Int, pattern: String) {
            (self.position, self.pattern) = (position, pattern)
        }
    }

    private enum Role: Hashable, Sendable {
        case silent
        case noting
        case recalling
    }

    private let role: Role
    /// What was said.
    public private(set) var answers: [Question: Bool] = [:]
    /// What was asked and is not known, each rule and name once, in words.
    public private(set) var unknown: [String] = []

    /// The most answers that are noted, and the most that are missed.
    static let most = 200

    /// Keeps nothing.
    public init() { role = .silent }

    private init(_ role: Role, _ answers: [Question: Bool] = [:]) {
        (self.role, self.answers) = (role, answers)
    }

    /// Notes the answers.
    public static var noting: RuleWitness { RuleWitness(.noting) }

    /// Answers as was noted, without looking at values.
    public static func recalling(_ answers: [Question: Bool]) -> RuleWitness {
        RuleWitness(.recalling, answers)
    }

    /// Whether a rule's pattern for values matches a field.
    ///
    /// - Parameters:
    ///   - rule: the rule, which has such a pattern.
    ///   - position: the field's position.
    ///   - name: the field's name.
    ///   - judge: looks at the value.
    /// - Returns: what the judge says, or what was noted; false where neither can be had.
    mutating func matches(
        _ rule: ScrubRule, at position: Int, named name: @autoclosure () -> String,
        judge: () -> Bool
    ) -> Bool {
        // What is not noted any more is no work, however many fields there are.
        guard role != .silent, role != .noting || answers.count < Self.most,
            let pattern = rule.value?.description
        else { return judge() }
        let question = Question(position: position, pattern: pattern)
        switch role {
        case .silent, .noting:
            let answer = judge()
            answers[question] = answer
            return answer
        case .recalling:
            if let answer = answers[question] { return answer }
            let words =
                "whether \"\(rule.text)\" is about \(name()): "
                + "its value was not kept"
            if unknown.count < Self.most, !unknown.contains(words) { unknown.append(words) }
            return false
        }
    }
}
