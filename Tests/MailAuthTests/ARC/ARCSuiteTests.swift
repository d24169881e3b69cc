import MailAuth
import MailDNS
import MailSyntax
import Testing

/// All cases of the ARC test suite that the standards of today still allow.
@Suite("ARC test suite")
struct ARCSuiteTests {
    static let cases = ARCSuite.shared?.cases ?? []

    /// How many cases there are: a reader that loses some would pass otherwise.
    static let caseCount = 175

    /// The cases that expect something else than the standards say, and what these say.
    static let excluded = [
        // RFC 8617, section 4.1.2, has all of DKIM-Signature but for three differences, and "c=" is
        // none of them: the default is simple/simple (RFC 6376, section 3.5). The suite's signature
        // is relaxed.
        "ams_fields_c_na": "without c=, canonicalization is simple",
        // RFC 6376, section 3.5: "This list MUST NOT be empty"; section 5.4: "The From header field
        // MUST be signed".
        "ams_fields_h_empty": "h= must not be empty, and From must be signed",
        // RFC 6376, section 3.5: sig-h-tag has a name between any two colons.
        "ams_fields_h_mis_hdr": "h= must not have an empty name",
    ]

    @Test(
        "the suite is there",
        .enabled(if: ARCSuite.shared != nil, "arc-draft-validation-tests.yml not found"))
    func complete() {
        #expect(Self.cases.count == Self.caseCount)
        #expect(Set(Self.excluded.keys).isSubset(of: Self.cases.map(\.name)))
    }

    @Test("case", arguments: cases)
    func validate(_ test: ARCSuite.Case) throws {
        let message = try TestMessage(test.message, test.name)
        let outcome = ARCSuiteTests.validate(message, test.keys)
        let expected: ARCStatus
        switch test.status {
        case "None": expected = .none
        case "Pass": expected = .pass
        // RFC 8617, section 5.2, step 2, answers what the draft of the suite left open.
        default: expected = .fail
        }
        if Self.excluded[test.name] != nil {
            #expect(outcome.status != expected, "excluded without need: \(outcome.reason)")
        } else {
            #expect(outcome.status == expected, "\(outcome.reason)")
        }
    }

    /// Validates a message with the key records of a zone.
    static func validate(
        _ message: TestMessage, _ keys: [String: String], now: Int64 = 1_800_000_000,
        options: ARCOptions = ARCOptions()
    ) -> ARCOutcome {
        var validator = ARCValidator(header: message.header, now: now, options: options)
        for start in stride(from: 0, to: message.body.count, by: 1000) {
            let end = min(message.body.count, start + 1000)
            validator.update(message.body.span.extracting(start..<end))
        }
        var questions = validator.questions
        while !questions.isEmpty {
            for question in questions {
                let record = keys[question.name.ascii].map { Array($0.utf8) }
                validator.answer(
                    question,
                    record.map { .records([.text([$0])], .insecure) } ?? .nameError(.insecure))
            }
            questions = validator.advance(keys: testCache)
        }
        return validator.finish(keys: testCache)
    }
}
