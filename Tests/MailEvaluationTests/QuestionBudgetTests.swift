import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Testing
import Threads

/// What the questions of one message, and of one sender, may come to.
@Suite struct QuestionBudgetTests {
    /// Answers what the zone has, and nothing else.
    private final class Withholding: DNSResolver {
        let zone: ZoneResolver
        let unanswered = Locked<[DNSQuestion]>([])
        let begun = Locked<[PendingAnswer]>([])

        init(_ zone: ZoneResolver) { self.zone = zone }

        func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
            if case .records(let records, let status) = zone.answer(to: question) {
                return .ready(.records(records, status))
            }
            let pending = PendingAnswer(deadline: deadline)
            unanswered.withLock { $0.append(question) }
            begun.withLock { $0.append(pending) }
            return pending
        }
    }

    /// A message with signatures and a chain whose keys nobody answers for, from a sender whose
    /// record needs all questions that it may.
    private func worst() throws -> Scene {
        var scene = try Scene()
        var fields = ""
        for index in 0..<8 {
            fields += """
                DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=d\(index).silent.example; s=s;\r
                 h=from; bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r

                """
        }
        for instance in (1...10).reversed() {
            fields += """
                ARC-Seal: i=\(instance); a=rsa-sha256; cv=\(instance == 1 ? "none" : "pass");\r
                 d=s\(instance).silent.example; s=s; b=AAAA\r
                ARC-Message-Signature: i=\(instance); a=rsa-sha256; c=relaxed/relaxed;\r
                 d=m\(instance).silent.example; s=s; h=from;\r
                 bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA\r
                ARC-Authentication-Results: i=\(instance); mx.example\r

                """
        }
        fields += "From: x@a.b.c.d.e.f.g.silent.example\r\n"
        scene.header = try HeaderSection.split(message: Array((fields + "\r\n").utf8)).header
        var zone = #"example.org. TXT "v=spf1"#
        for index in 0..<10 { zone += " mx:m\(index).example.org" }
        zone += " -all\"\n"
        for index in 0..<10 {
            for host in 0..<10 {
                zone += "m\(index).example.org. MX 10 h\(index)-\(host).silent.example.\n"
            }
        }
        scene.zone = try ZoneResolver(parsing: zone)
        return scene
    }

    @Test func `the worst message waits for thirty-six answers at most`() throws {
        let scene = try worst()
        let resolver = Withholding(scene.zone)
        _ = scene.evaluate(Scene.options(answerSeconds: 0.05), resolver)
        let unanswered = resolver.unanswered.withLock { $0 }
        #expect(unanswered.count <= 36)
        // Eight signatures, and of the chain the newest two keys alone.
        #expect(unanswered.count { $0.name.ascii.contains("_domainkey") } == 10)
        // The policy has its share.
        #expect(unanswered.contains { $0.name.ascii.hasPrefix("_dmarc.") })
    }

    @Test func `a record that makes too many questions necessary is an error for good`() throws {
        var scene = try worst()
        var zone = try ZoneResolver(parsing: "")
        for record in 0..<10 {
            let domain = try DomainName("m\(record).example.org")
            for host in 0..<9 {
                let name = try DomainName("h\(record)-\(host).example.org")
                zone.add(ZoneRecord(domain, .mx, .mx(preference: 10, exchange: name)))
                zone.add(ZoneRecord(name, .a, .address(.v4(1))))
            }
        }
        let terms = (0..<10).map { " mx:m\($0).example.org" }.joined()
        zone.add(
            ZoneRecord(
                try DomainName("example.org"), .txt,
                .text(["v=spf1\(terms) -all"].map { Array($0.utf8) })))
        scene.zone = zone
        let spf = try #require(scene.evaluate().spf)
        #expect(spf.result == .permerror)
        #expect(spf.questions.count <= 40)
    }

    @Test func `a client has a share of the questions under way, and gets it back`() throws {
        let scene = try worst()
        let resolver = Withholding(scene.zone)
        let tools = EvaluationTools(resolver: resolver, time: Scene.clock)
        var options = Scene.options(answerSeconds: 3_600)
        options.spf = nil
        func begin(_ envelope: Envelope) -> MessageEvaluation {
            MessageEvaluation(
                header: scene.header, author: AuthorField(of: scene.header), envelope: envelope,
                options: options, tools: tools)
        }
        func count(_ envelope: Envelope, messages: Int) -> Int {
            let before = resolver.unanswered.withLock { $0.count }
            // Nobody gives up, and nobody waits.
            for _ in 0..<messages { _ = begin(envelope) }
            return resolver.unanswered.withLock { $0.count } - before
        }
        let many = count(scene.envelope, messages: 100)
        // One question of each message is always asked.
        #expect(many <= QuestionShares.standardLimit + 100 + 40)
        let other = Envelope(address: IPAddress("198.51.100.7"))
        #expect(count(other, messages: 1) > 10)
        for pending in resolver.begun.withLock({ $0 }) { pending.cancel() }
        #expect(tools.shares.ownerCount == 0)
        #expect(count(scene.envelope, messages: 1) > 10)
    }

    /// As signet-spf asks, for one request after the other.
    @Test func `a policy request takes the shares of its client and its sender`() throws {
        let resolver = Withholding(try ZoneResolver(parsing: ""))
        let shares = QuestionShares(limit: 4)
        let attacker = try #require(IPAddress("2001:db8::1"))
        let neighbour = try #require(IPAddress("2001:db8::ffff:1"))
        let other = try #require(IPAddress("192.0.2.1"))
        /// How many of ten questions of one request are asked.
        func asked(_ client: IPAddress, _ domain: String) throws -> Int {
            let before = resolver.unanswered.withLock { $0.count }
            let asking = shares.resolver(
                resolver, client: client, domain: try DomainName(domain))
            for index in 0..<10 {
                let question = DNSQuestion(try DomainName("h\(index).\(domain)"), .a)
                let pending = asking.begin(question, deadline: .distantFuture)
                if case .failure(.resolver)? = pending.poll() { break }
            }
            return resolver.unanswered.withLock { $0.count } - before
        }
        #expect(try asked(attacker, "evil.example") == 4)
        // The first question of each request is asked, and no more: for the client's network of 64
        // bits, and for the domain.
        #expect(try asked(neighbour, "next.example") == 1)
        #expect(try asked(other, "evil.example") == 1)
        #expect(try asked(other, "victim.example") == 3)
        for pending in resolver.begun.withLock({ $0 }) { pending.cancel() }
        #expect(shares.ownerCount == 0)
    }
}
