import MailAuth
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads

@Suite("DMARC against hostile input")
struct DMARCHostileTests {
    static let texts: [[UInt8]] = [
        Array("v=DMARC1; p=reject".utf8) + Array(repeating: UInt8(ascii: ";"), count: 65_000),
        Array("v=DMARC1; ".utf8) + Array(repeating: UInt8(ascii: "="), count: 65_000),
        Array(("v=DMARC1; " + String(repeating: "p=reject; ", count: 6500)).utf8),
        Array(("v=DMARC1; rua=" + String(repeating: "mailto:a@b.test,", count: 4000)).utf8),
        Array(("v=DMARC1; rua=" + String(repeating: ",", count: 65_000)).utf8),
        Array(("v=DMARC1; fo=" + String(repeating: "d:", count: 32_000)).utf8),
        Array(("v=DMARC1; p=" + String(repeating: " ", count: 65_000) + "none").utf8),
        Array(("v=DMARC1; rua=mailto:" + String(repeating: "%41", count: 21_000)).utf8),
        Array("v=DMARC1;".utf8) + (0..<65_000).map { UInt8(truncatingIfNeeded: $0 &* 31) },
        Array(String(repeating: "v=DMARC1;", count: 7200).utf8),
    ]

    @Test("records of 64 KB", .timeLimit(.minutes(5)), arguments: texts.indices)
    func record(_ index: Int) throws {
        let text = Self.texts[index]
        let found = try #require(DMARCRecord(parsing: text))
        #expect(found.aggregateReportURIs.count <= 32)
        #expect(found.faults.count <= 40)
    }

    @Test("noise is read without a trap, and the same twice")
    func noise() {
        var random = SeededGenerator(seed: 1001)
        let words = [
            "v=DMARC1", ";", "p", "=", "sp=", "none", "reject", "rua=", "mailto:", "@", "a.test",
            "!", "10m", ",", "%", "%41", "fo=", "0", ":", "t=y", "psd=", "\u{0}", "\u{FF}", " ",
        ]
        for _ in 0..<3000 {
            let text =
                "v=DMARC1;"
                + (0..<12).map { _ in words.randomElement(using: &random) ?? "" }
                .joined()
            let record = DMARCRecord(parsing: Array(text.utf8))
            #expect(record != nil && record == DMARCRecord(parsing: Array(text.utf8)))
        }
    }

    @Test("a thousand author domains are too many, and none is asked for")
    func mailboxes() throws {
        let value = (0..<1000).map { "x@d\($0).test" }.joined(separator: ", ")
        let field = AuthorField(parsing: Array(value.utf8).span)
        #expect(field.mailboxes.count == 1000)
        let evaluation = DMARCEvaluator(author: field).finish()
        #expect(evaluation.result == .permerror)
        #expect(evaluation.authorship == .tooMany(1000) && evaluation.authorship.isMultiValued)
        #expect(evaluation.authors.isEmpty && evaluation.questions.isEmpty)
    }

    @Test("as many author domains and identifiers as are evaluated")
    func questions() throws {
        let value = (0..<8).map { "x@d\($0).a.b.c.d.e.f.test" }.joined(separator: ", ")
        let field = AuthorField(parsing: Array(value.utf8).span)
        var zone = ZoneResolver()
        zone.add(
            ZoneRecord(
                try DomainName("_dmarc.test"), .txt, .text([Array("v=DMARC1; p=reject".utf8)])))
        var options = DMARCOptions()
        options.asksAhead = true
        var evaluator = DMARCEvaluator(author: field, options: options)
        evaluator.identify(
            (0..<1000).compactMap {
                DMARCIdentifier.dkim(.pass, domain: try? DomainName("d\($0).a.b.c.d.e.f.test"))
            })
        let evaluation = DMARCDriver(evaluator, resolver: zone).finish([], deadline: .now() + 5)
        #expect(evaluation.result == .pass)
        #expect(evaluation.authors.count == 8)
        #expect(evaluation.questions.count <= options.maximumAuthorNames + 32 * 8)
    }

    @Test("a thousand records at one name are discarded")
    func records() throws {
        let texts = (0..<1000).map { DNSRecord.text([Array("v=DMARC1; p=none; x=\($0)".utf8)]) }
        let field = AuthorField(parsing: Array("a@example.test".utf8).span)
        var evaluator = DMARCEvaluator(author: field)
        while let question = evaluator.questions.first {
            evaluator.answer(question, .records(texts, .insecure))
        }
        #expect(evaluator.finish().result == .none)
    }

    @Test("a record in many strings is joined")
    func strings() throws {
        let strings = "v=DMARC1; p=reject".utf8.map { [$0] }
        let field = AuthorField(parsing: Array("a@example.test".utf8).span)
        var evaluator = DMARCEvaluator(author: field)
        let question = try #require(evaluator.questions.first)
        evaluator.answer(question, .records([.text(strings), .name(.root)], .secure))
        #expect(evaluator.finish().deciding?.policy?.published == .reject)
    }
}
