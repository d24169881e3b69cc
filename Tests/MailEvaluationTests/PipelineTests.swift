import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Testing
import Threads

/// The pipeline over one message.
@Suite struct PipelineTests {
    @Test func `all methods are evaluated, and what one finds the others are told`() throws {
        let found = try Scene().evaluate()
        #expect(found.words == ["spf=pass", "dkim=pass", "arc=none", "dmarc=pass", "iprev=pass"])
        #expect(found.identifiers.map(\.mechanism) == [.spf, .dkim])
        #expect(
            found.reverse.map { MethodResult.iprev($0) }
                == .iprev("pass", comment: "mail.example.org", address: "192.0.2.1"))
    }

    @Test func `the results do not depend on how the body is cut`() throws {
        let scene = try Scene()
        for piece in 1...scene.body.count {
            #expect(scene.evaluate(piece: piece).words == scene.evaluate().words)
        }
    }

    @Test func `the body counts`() throws {
        var scene = try Scene()
        scene.body[0] ^= 1
        #expect(
            scene.evaluate().words
                == ["spf=pass", "dkim=fail", "arc=none", "dmarc=pass", "iprev=pass"])
    }

    /// What is not evaluated is not asked for either.
    @Test func `a method without options asks nothing and finds nothing`() throws {
        let scene = try Scene()
        var options = EvaluationOptions(answerSeconds: 5)
        var recorder = RecordingResolver(scene.zone)
        #expect(scene.evaluate(options, recorder).words == [])
        #expect(recorder.entries.isEmpty)

        options.dkim = DKIMVerifierOptions()
        recorder = RecordingResolver(scene.zone)
        #expect(scene.evaluate(options, recorder).words == ["dkim=pass"])
        #expect(
            recorder.entries.map(\.question.name.ascii) == ["s._domainkey.example.org"])
    }

    @Test func `the envelope's questions come first, then the keys, then the policy`() throws {
        let scene = try Scene()
        let recorder = RecordingResolver(scene.zone)
        _ = scene.evaluate(Scene.options(), recorder)
        #expect(
            recorder.entries.map(\.question.name.ascii)
                == [
                    "example.org", "1.2.0.192.in-addr.arpa", "s._domainkey.example.org",
                    "_dmarc.example.org", "mail.example.org", "mail.example.org",
                ])
    }

    /// RFC 8601, section 4.1: results of others may stand in for an evaluation.
    @Test func `what others report stands in for a method that is not evaluated`() throws {
        let scene = try Scene()
        var options = Scene.options()
        options.spf = nil
        options.dkim = nil
        #expect(scene.evaluate(options).dmarc?.result == .fail)
        var reported = ReportedIdentifiers()
        reported.spf = .spf(.pass, domain: try DomainName("example.org"))
        #expect(scene.evaluate(options, reported: reported).dmarc?.result == .pass)
        reported.spf = nil
        reported.dkim = [.dkim(.pass, domain: try DomainName("example.org"))].compactMap(\.self)
        #expect(scene.evaluate(options, reported: reported).dmarc?.result == .pass)
        // What is evaluated here is not overruled.
        var forged = scene
        forged.body[0] ^= 1
        options.dkim = DKIMVerifierOptions()
        #expect(forged.evaluate(options, reported: reported).dmarc?.result == .fail)
    }

    /// The answers of one evaluation, given to another one, lead to the same results.
    @Test func `an evaluation can be repeated with its answers`() throws {
        let scene = try Scene()
        for failing in [nil, "example.org", "s._domainkey.example.org", "_dmarc.example.org"] {
            var zone = scene.zone
            if let failing { zone.fail(try DomainName(failing), with: .timeout) }
            let recorder = RecordingResolver(zone)
            let found = scene.evaluate(Scene.options(), recorder)
            let replay = Replay(recorder.entries)
            #expect(scene.evaluate(Scene.options(), replay).words == found.words)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `the caller's deadline ends all waiting`() throws {
        let found = try Scene().evaluate(
            Scene.options(answerSeconds: 3_600), Silent(), within: 0.1)
        #expect(
            found.words
                == [
                    "spf=temperror", "dkim=temperror", "arc=none", "dmarc=temperror",
                    "iprev=temperror",
                ])
    }

    @Test func `a message that is given up leaves no question under way`() throws {
        let scene = try Scene()
        let silent = Silent()
        let tools = EvaluationTools(resolver: silent, time: Scene.clock)
        let evaluation = MessageEvaluation(
            header: scene.header, author: AuthorField(of: scene.header), envelope: scene.envelope,
            early: EnvelopeQuestions(scene.envelope, Scene.options(), tools),
            options: Scene.options(), tools: tools)
        evaluation.abandon()
        let begun = silent.begun.withLock { $0 }
        #expect(begun.count >= 4)
        #expect(begun.allSatisfy { $0.poll() != nil })
    }

    /// RFC 8601, section 2.7.3.
    @Test(arguments: [
        ("", "iprev=permerror"), ("1.2.0.192.in-addr.arpa. PTR other.example.org", "iprev=fail"),
    ])
    func `a client without a name of its own`(_ zone: String, _ expected: String) throws {
        let scene = try Scene()
        let found = scene.evaluate(Scene.options(), try ZoneResolver(parsing: zone))
        #expect(found.words.last == expected)
    }
}

/// Gives the recorded answers, and none to questions that were not asked.
private struct Replay: DNSResolver {
    private let answers: [DNSQuestion: DNSAnswer]

    init(_ entries: [RecordingResolver.Entry]) {
        answers = Dictionary(
            entries.compactMap { entry in entry.answer.map { (entry.question, $0) } }
        ) { first, _ in first }
    }

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        .ready(answers[question] ?? .failure(.resolver("not recorded")))
    }
}

/// Never answers.
private final class Silent: DNSResolver {
    let begun = Locked<[PendingAnswer]>([])

    func begin(_ question: DNSQuestion, deadline: MonotonicTime) -> PendingAnswer {
        let pending = PendingAnswer(deadline: deadline)
        begun.withLock { $0.append(pending) }
        return pending
    }
}
