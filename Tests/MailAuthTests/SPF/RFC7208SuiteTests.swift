import MailAuth
import MailSyntax
import Testing
import Threads

/// All cases of the standard's own test suite, explanations included.
@Suite("RFC 7208 test suite")
struct RFC7208SuiteTests {
    static let cases = SPFSuite.shared?.cases ?? []

    /// How many cases there are: a reader that loses some would pass otherwise.
    static let caseCount = 203

    @Test("the suite is there", .enabled(if: SPFSuite.shared != nil, "rfc7208-tests.yml not found"))
    func complete() {
        #expect(RFC7208SuiteTests.cases.count == RFC7208SuiteTests.caseCount)
    }

    @Test("case", arguments: cases)
    func evaluate(_ test: SPFSuite.Case) throws {
        let outcome = try test.check(
            SPFEvaluator(resolver: test.zone, time: .system, receiver: "mx.example.net"))
        test.expect(outcome)
    }
}

extension SPFSuite.Case {
    func check(_ evaluator: SPFEvaluator) throws -> SPFOutcome {
        let client = try #require(IPAddress(host))
        return evaluator.check(
            .mailFrom(Array(mailFrom.utf8), helo: Array(helo.utf8), client: client))
    }

    func expect(_ outcome: SPFOutcome) {
        #expect(results.contains(outcome.result.rawValue), "\(outcome.sentence)")
        if outcome.result == .fail, let explanation {
            #expect((outcome.explanation ?? "DEFAULT") == explanation)
        }
        // What holds of every check.
        #expect(outcome.lookups <= 10)
        #expect(outcome.voidLookups <= 3)
        #expect(outcome.sentence.utf8.allSatisfy { 0x20...0x7E ~= $0 })
        #expect((outcome.problem != nil) == [.temperror, .permerror].contains(outcome.result))
    }
}
