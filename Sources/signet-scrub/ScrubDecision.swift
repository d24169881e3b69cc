import FlightRecord
import HeaderScrub
import Milter
import Observation

/// What was decided about a message, and what a record keeps of it.
struct ScrubDecision {
    /// The answer to the MTA.
    var verdict: MilterVerdict
    /// Why it is not scrubbed, where the answer does not tell.
    var reason: String?
    /// Why it cannot be decided about again; nil where it can.
    var omission: String?
    /// The rules by which it was changed.
    var rules: [ScrubRule] = []
    /// What patterns for values have said.
    var witness = RuleWitness()

    /// Refuses.
    static func refusal(
        _ code: Int, _ enhancedCode: String, _ text: String, reason: String
    ) -> ScrubDecision {
        ScrubDecision(
            verdict: MilterVerdict(
                reply: .reply(SMTPReply(code: code, enhancedCode: enhancedCode, text: text))),
            reason: reason)
    }
}

extension ScrubDecision {
    /// What patterns for values have said, as a record keeps it.
    var attributes: [String: [UInt8]] {
        Dictionary(
            witness.answers.map { question, answer in
                ("\(question.position) \(question.pattern)", Array((answer ? "1" : "0").utf8))
            }, uniquingKeysWith: { first, _ in first })
    }

    /// Reads what a record has kept.
    static func witness(_ attributes: [String: [UInt8]]) -> RuleWitness {
        var answers: [RuleWitness.Question: Bool] = [:]
        for (key, value) in attributes {
            let parts = key.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let position = Int(parts[0]) else { continue }
            let question = RuleWitness.Question(position: position, pattern: String(parts[1]))
            answers[question] = value == Array("1".utf8)
        }
        return .recalling(answers)
    }

    /// Says to a record by which rules the message was changed, and what could not be recalled.
    func tell(_ trace: MessageTrace?) {
        guard let trace else { return }
        let (rules, unknown) = (rules, witness.unknown)
        trace.add { entry in
            for rule in rules {
                entry.add(.rule, "\(DirectivePlaces.short(rule.location)) \(rule.text)")
            }
            for words in unknown { entry.add(.unknown, words) }
        }
    }
}
