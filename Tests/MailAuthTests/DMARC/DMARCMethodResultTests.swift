import MailAuth
import MailDNS
import MailSyntax
import Testing
import Threads

@Suite("DMARC and ARC in Authentication-Results")
struct DMARCMethodResultTests {
    @Test("policy, disposition, cause and author domain")
    func dmarc() throws {
        var zone = ZoneResolver()
        let text = Array("v=DMARC1; p=none; sp=reject; t=y".utf8)
        zone.add(ZoneRecord(try DomainName("_dmarc.example.org"), .txt, .text([text])))
        var evaluator = DMARCEvaluator(
            author: AuthorField(parsing: Array("a@news.example.org".utf8).span))
        evaluator.identify(
            [DMARCIdentifier.spf(.pass, domain: try DomainName("bounce.example.net"))]
                .compactMap { $0 })
        let evaluation = DMARCDriver(evaluator, resolver: zone).finish([], deadline: .now() + 5)
        let result = MethodResult.dmarc(evaluation, disposition: .quarantine)
        #expect(result.result == "fail")
        #expect(
            result.comment
                == "sp=reject dis=quarantine; SPF passed for bounce.example.net, which is not aligned "
                + "with news.example.org")
        #expect(result["header", "from"] == "news.example.org")
        // RFC 9989, section 9.1: sp=reject, one level lower for "t=y".
        #expect(result["policy", "dmarc"] == "quarantine")
    }

    @Test("no author domain")
    func nobody() {
        let evaluator = DMARCEvaluator(author: .malformed(.severalFields))
        let result = MethodResult.dmarc(evaluator.finish(), disposition: .none)
        #expect(result.result == "permerror" && result.properties.isEmpty)
        #expect(result.comment == "dis=none; no author domain: several From fields")
    }

    @Test("chains")
    func arc() throws {
        let client = IPAddress("192.0.2.1")
        let good = MethodResult.arc(
            try ARCChainTests.validate(ARCChainTests.sealed(2)), client: client)
        #expect(
            good.result == "pass" && good.comment == "sealed by i=2 sealer.test, i=1 sealer.test")
        #expect(good["header", "oldest-pass"] == "0" && good["smtp", "remote-ip"] == "192.0.2.1")
        let none = MethodResult.arc(
            try ARCChainTests.validate(ARCChainTests.message()), client: client)
        #expect(none.result == "none" && none.properties.isEmpty)
    }

    /// What a walk has asked ahead is not waited for once the walk has ended.
    @Test("questions that are needed no longer")
    func needless() throws {
        var options = DMARCOptions()
        options.asksAhead = true
        var evaluator = DMARCEvaluator(
            author: AuthorField(parsing: Array("a@b.example.org".utf8).span), options: options)
        evaluator.identify([])
        #expect(evaluator.questions.count == 3)
        evaluator.answer(
            DNSQuestion(try DomainName("_dmarc.b.example.org"), .txt),
            .records([.text([Array("v=DMARC1; p=reject; psd=n".utf8)])], .insecure))
        #expect(evaluator.questions.isEmpty)
        #expect(evaluator.finish().result == .fail)
    }
}
