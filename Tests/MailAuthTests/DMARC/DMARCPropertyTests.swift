import MailAuth
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads

@Suite("DMARC properties")
struct DMARCPropertyTests {
    /// A small world of names with records at random, and the organizational domain by another reading of
    /// RFC 9989, section 4.10.2: from all records at once.
    struct World {
        var zone = ZoneResolver()
        var flags: [DomainName: String] = [:]
        let names: [DomainName]

        init(_ random: inout some RandomNumberGenerator) throws {
            let labels = ["a", "b"]
            var names = try [DomainName("test")]
            for depth in 1...4 {
                for name in names where name.labelCount == depth {
                    for label in labels { names.append(try name.prepending(label)) }
                }
            }
            self.names = names
            for name in names where Int.random(in: 0..<4, using: &random) == 0 {
                let flag = ["u", "u", "n", "y"].randomElement(using: &random) ?? "u"
                flags[name] = flag
                let text = Array("v=DMARC1; p=reject; psd=\(flag)".utf8)
                zone.add(ZoneRecord(try name.prepending("_dmarc"), .txt, .text([text])))
            }
        }

        func organization(of start: DomainName) -> DomainName {
            let line = (1...start.labelCount).reversed().map { start.suffix(labels: $0) }
            for name in line {
                if flags[name] == "n" { return name }
                if flags[name] == "y" {
                    guard name == start else { return start.suffix(labels: name.labelCount + 1) }
                    return start
                }
            }
            return line.last { flags[$0] != nil } ?? start
        }
    }

    @Test("relaxed alignment is equality of organizational domains")
    func alignment() throws {
        var random = SeededGenerator(seed: 1001)
        for _ in 0..<60 {
            let world = try World(&random)
            for _ in 0..<20 {
                guard let author = world.names.randomElement(using: &random),
                    let signer = world.names.randomElement(using: &random)
                else { continue }
                let evaluation = try Self.evaluate(author, signer, world.zone)
                guard evaluation.result != .none else { continue }
                let same = world.organization(of: author) == world.organization(of: signer)
                #expect(
                    (evaluation.result == .pass) == (same || author == signer),
                    "\(author) \(signer) \(world.flags)")
            }
        }
    }

    @Test(
        "without a record in the author domain or above it, DMARC does not apply, and the other way"
    )
    func applicability() throws {
        var random = SeededGenerator(seed: 1002)
        for _ in 0..<60 {
            let world = try World(&random)
            for author in world.names {
                let evaluation = try Self.evaluate(author, author, world.zone)
                let line = (1...author.labelCount).map { author.suffix(labels: $0) }
                let hasRecord = line.contains { world.flags[$0] != nil }
                #expect((evaluation.result == .none) == !hasRecord, "\(author) \(world.flags)")
                // What signs for the author domain itself always passes.
                if hasRecord { #expect(evaluation.result == .pass) }
            }
        }
    }

    /// RFC 9989, section 5.3.6: only questions "required to perform DMARC validation" make a temporary error.
    @Test("without one answer there is a result only where no answer could change it")
    func missingAnswer() throws {
        var random = SeededGenerator(seed: 1003)
        var decided = 0
        for _ in 0..<150 {
            let world = try World(&random)
            guard let author = world.names.randomElement(using: &random),
                let signer = world.names.randomElement(using: &random),
                let silent = world.names.randomElement(using: &random)
            else { continue }
            var broken = world.zone
            broken.fail(try silent.prepending("_dmarc"), .txt, with: .timeout)
            let result = try Self.evaluate(author, signer, broken).result
            guard result != .temperror else { continue }
            decided += 1
            for record in ["", "psd=u", "psd=n", "psd=y"] {
                var zone = ZoneResolver()
                for (name, flag) in world.flags where name != silent {
                    try Self.publish("psd=\(flag)", name, &zone)
                }
                if !record.isEmpty { try Self.publish(record, silent, &zone) }
                #expect(
                    try Self.evaluate(author, signer, zone).result == result,
                    "\(author) \(signer) \(silent) \(record) \(world.flags)")
            }
        }
        #expect(decided > 20)
    }

    private static func publish(
        _ tag: String, _ name: DomainName, _ zone: inout ZoneResolver
    ) throws {
        let text = Array("v=DMARC1; p=reject; \(tag)".utf8)
        zone.add(ZoneRecord(try name.prepending("_dmarc"), .txt, .text([text])))
    }

    private static func evaluate(
        _ author: DomainName, _ signer: DomainName, _ zone: ZoneResolver
    ) throws -> DMARCEvaluation {
        let field = AuthorField(parsing: Array(" x@\(author)".utf8).span)
        return DMARCDriver(DMARCEvaluator(author: field), resolver: zone).finish(
            [DMARCIdentifier.dkim(.pass, domain: signer)].compactMap { $0 }, deadline: .now() + 5)
    }

    @Test("a walk asks eight questions at most", arguments: 1...60)
    func walkCap(_ labels: Int) throws {
        let text = (0..<labels).map { "l\($0 % 7)" }.joined(separator: ".")
        let domain = try DomainName(text)
        for isAhead in [false, true] {
            var options = DMARCOptions()
            options.asksAhead = isAhead
            let field = AuthorField.authors([Mailbox(localPart: [0x61], domain: domain)])
            let evaluator = DMARCEvaluator(author: field, options: options)
            #expect(evaluator.questions.count == (isAhead ? min(labels, 8) : 1))
            let questions = DMARCDriver(evaluator, resolver: ZoneResolver()).finish(
                [], deadline: .now() + 5
            ).questions
            #expect(questions.count == min(labels, 8))
            #expect(Set(questions).count == questions.count)
            #expect(questions.first?.name.ascii == "_dmarc.\(domain)")
            #expect(questions.dropFirst().allSatisfy { $0.name.labelCount <= 8 })
        }
    }

    @Test("a name too long for _dmarc before it has no record")
    func longName() throws {
        let label = String(repeating: "x", count: 61)
        let domain = try DomainName([label, label, label, label, "test"].joined(separator: "."))
        let field = AuthorField.authors([Mailbox(localPart: [0x61], domain: domain)])
        let evaluation = DMARCDriver(
            DMARCEvaluator(author: field), resolver: ZoneResolver()
        ).finish([], deadline: .now() + 5)
        #expect(evaluation.result == .none)
        #expect(evaluation.questions.count == 4)
    }

    @Test("questions without answers are a temporary error")
    func silence() throws {
        for told in [false, true] {
            var evaluator = DMARCEvaluator(
                author: AuthorField(parsing: Array("a@example.com".utf8).span))
            if told { evaluator.identify([]) }
            #expect(evaluator.questions.count == 1)
            #expect(evaluator.finish().result == .temperror)
        }
    }

    @Test("only the MAIL FROM identity of SPF counts")
    func identity() throws {
        let zone = try ZoneResolver(parsing: "mx.example.com. TXT \"v=spf1 ip4:192.0.2.1 -all\"\n")
        let client = try #require(IPAddress("192.0.2.1"))
        let evaluator = SPFEvaluator(resolver: zone, time: .system, receiver: "mx.example.net")
        let helo = evaluator.check(.helo(Array("mx.example.com".utf8), client: client))
        #expect(helo.result == .pass)
        #expect(DMARCIdentifier(helo) == nil)
        // A null reverse-path stands for postmaster at the HELO name.
        let null = evaluator.check(
            .mailFrom([], helo: Array("mx.example.com".utf8), client: client))
        let identifier = try #require(DMARCIdentifier(null))
        #expect(identifier.isAuthenticated && identifier.domain.ascii == "mx.example.com")
    }
}
