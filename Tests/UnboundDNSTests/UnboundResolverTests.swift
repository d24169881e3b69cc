import Foundation
import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads
import UnboundDNS

/// The resolver against a server that does as it is told.
@Suite(.serialized) struct UnboundResolverTests {
    private static let zone = #"""
        $ORIGIN example.test.
        one    A     192.0.2.1
        one    TXT   "a" "" "b c"
        one    MX    10 mx
        one    MX    20 mx.example.net.
        six    AAAA  2001:db8::6
        alias  CNAME middle
        middle CNAME one
        gone   CNAME absent
        loop   CNAME pool
        pool   CNAME loop
        odd\\name TXT "backslash"
        1.2.0.192.in-addr.arpa. PTR one
        9.0.0.10.in-addr.arpa.  PTR one
        localhost. A 127.0.0.1
        """#

    private let server: ScriptedDNSServer
    private let resolver: UnboundResolver

    init() throws {
        server = try ScriptedDNSServer(try ZoneResolver(parsing: Self.zone))
        resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
    }

    private func ask(_ question: String, within seconds: Double = 5) throws -> DNSAnswer {
        resolver.resolve(try .test(question), deadline: .now() + seconds)
    }

    @Test func answers() throws {
        let expected = [
            ("one.example.test A", "192.0.2.1"),
            ("ONE.example.test A", "192.0.2.1"),
            ("six.example.test AAAA", "2001:db8::6"),
            ("one.example.test TXT", "text [a||b c]"),
            ("one.example.test MX", "mx 10 mx.example.test, mx 20 mx.example.net"),
            ("one.example.test AAAA", "NODATA"),
            ("absent.example.test A", "NXDOMAIN"),
            ("alias.example.test A", "192.0.2.1"),
            ("alias.example.test AAAA", "NODATA"),
            ("gone.example.test A", "NXDOMAIN"),
            ("loop.example.test A", "SERVFAIL"),
            (#"odd\name.example.test TXT"#, "text [backslash]"),
            ("1.2.0.192.in-addr.arpa PTR", "name one.example.test"),
            // Names that libunbound would answer itself.
            ("9.0.0.10.in-addr.arpa PTR", "name one.example.test"),
            ("localhost A", "127.0.0.1"),
            ("localhost AAAA", "NODATA"),
        ]
        for (question, line) in expected {
            #expect(try ask(question).sortedLine == line, "\(question)")
        }
        server.stop()
    }

    @Test func aSecondAnswerComesFromTheCache() throws {
        for question in ["one.example.test A", "one.example.test AAAA", "absent.example.test A"] {
            let first = try ask(question)
            let asked = server.queries.count
            #expect(try ask(question) == first)
            #expect(server.queries.count == asked)
        }
        server.stop()
    }

    @Test func errorCodesAreFailures() throws {
        for (index, code) in [2, 4, 5].enumerated() {
            let name = try DomainName("code\(index).example.test")
            server.set(.code(code), for: name)
            // libunbound tells of every such code as SERVFAIL.
            let answer = resolver.resolve(DNSQuestion(name, .txt), deadline: .now() + 10)
            #expect(answer == .failure(.serverFailure(responseCode: 2)))
        }
        server.stop()
    }

    @Test func aDeadlineIsKept() throws {
        server.set(.drop, for: try DomainName("drop.example.test"))
        server.set(.wrongID, for: try DomainName("one.example.test"))
        server.set(.delay(2), for: try DomainName("six.example.test"))
        for question in ["drop.example.test TXT", "one.example.test A", "six.example.test AAAA"] {
            // Without the deadline there would be an answer, or SERVFAIL.
            #expect(try ask(question, within: 0.2) == .failure(.timeout), "\(question)")
        }
        // A late answer is no failure that would be remembered.
        #expect(try ask("six.example.test AAAA", within: 30).line == "2001:db8::6")
        server.stop()
    }

    @Test func aCancelledQuestionEndsAtOnce() throws {
        server.set(.drop, for: try DomainName("drop.example.test"))
        let pending = resolver.begin(try .test("drop.example.test A"), deadline: .now() + 30)
        pending.cancel()
        guard case .failure(.resolver) = pending.wait() else {
            Issue.record("a cancelled question has an answer")
            return
        }
        server.stop()
    }

    @Test func lyingAnswersAreNotBelieved() throws {
        let question = try DNSQuestion.test("one.example.test TXT")
        let lies: [ScriptedDNSServer.Behaviour] = [
            .garbage,
            .otherName(try DomainName("bank.example.test")),
            // A string longer than the data; data of no octets.
            .rawData([200, 0x61]), .rawData([]),
        ]
        for lie in lies {
            let resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
            server.set(lie, for: question.name)
            let answer = resolver.resolve(question, deadline: .now() + 1)
            if case .records = answer { Issue.record("\(lie) is believed: \(answer)") }
            let other = resolver.resolve(
                try .test("bank.example.test TXT"), deadline: .now() + 1)
            #expect(other.line == "NXDOMAIN")
        }
        server.stop()
    }

    @Test func truncatedAnswersComeOverTCP() throws {
        server.set(.truncate, for: try DomainName("one.example.test"))
        #expect(try ask("one.example.test TXT").line == "text [a||b c]")
        #expect(server.tcpQueryCount == 1)
        server.set(.trickle(0.001), for: try DomainName("six.example.test"))
        #expect(try ask("six.example.test AAAA").line == "2001:db8::6")
        server.set(.trickle(0.2), for: try DomainName("alias.example.test"))
        #expect(try ask("alias.example.test A", within: 0.3) == .failure(.timeout))
        server.stop()
    }

    @Test func largeTextComesWhole() throws {
        let name = try DomainName("large.example.test")
        let strings = (0..<250).map { index in Array(repeating: UInt8(index), count: 255) }
        let record = DNSRecord.text(strings)
        let server = try ScriptedDNSServer(ZoneResolver(records: [ZoneRecord(name, .txt, record)]))
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
        let answer = resolver.resolve(DNSQuestion(name, .txt), deadline: .now() + 5)
        #expect(answer == .records([record], .insecure))
        #expect(server.tcpQueryCount > 0)
        server.stop()
    }

    @Test func tooManyRecordsAreMalformed() throws {
        let name = try DomainName("many.example.test")
        let records = (0..<1100).map { ZoneRecord(name, .a, .address(.v4(0x0a00_0000 + $0))) }
        let server = try ScriptedDNSServer(ZoneResolver(records: records))
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver]))
        let answer = resolver.resolve(DNSQuestion(name, .a), deadline: .now() + 5)
        #expect(answer == .failure(.malformed))
        server.stop()
    }

    @Test func manyQuestionsAtATime() throws {
        let names = try (0..<200).map { try DomainName("n\($0).example.test") }
        for name in names { server.set(.drop, for: name) }
        let pending = names.map { resolver.begin(DNSQuestion($0, .a), deadline: .now() + 60) }
        // None is answered, and all have been asked.
        let end = MonotonicTime.now() + 60
        while Set(server.queries.map(\.name)).count < names.count, MonotonicTime.now() < end {
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(Set(server.queries.map(\.name)).count == names.count)
        for question in pending { question.cancel() }
        server.stop()
    }

    @Test func equalQuestionsUnderWayAreJoined() throws {
        server.set(.delay(0.2), for: try DomainName("one.example.test"))
        let question = try DNSQuestion.test("one.example.test A")
        let pending = (0..<50).map { _ in resolver.begin(question, deadline: .now() + 5) }
        for answer in pending { #expect(answer.wait().line == "192.0.2.1") }
        #expect(server.queries.count == 1)
        server.stop()
    }

    @Test func questionsUnderWayAreBounded() throws {
        var options = UnboundResolver.Options(nameservers: [server.nameserver])
        options.questionLimit = 2
        let resolver = try UnboundResolver(options)
        server.setSilent(true)
        let pending = try (0..<3).map {
            resolver.begin(try .test("n\($0).example.test A"), deadline: .now() + 5)
        }
        #expect(pending[1].poll() == nil)
        #expect(
            pending[2].poll() == .failure(.resolver("too many questions are under way")))
        server.stop()
    }

    @Test func aQuestionThatNobodyAwaitsFreesItsPlace() throws {
        var options = UnboundResolver.Options(nameservers: [server.nameserver])
        options.questionLimit = 2
        let resolver = try UnboundResolver(options)
        server.setSilent(true)
        let pending = try (0..<3).map {
            resolver.begin(try .test("n\($0).example.test A"), deadline: .now() + 5)
        }
        #expect(pending[2].poll() != nil)
        pending[0].cancel()
        let next = resolver.begin(try .test("n3.example.test A"), deadline: .now() + 5)
        #expect(next.poll() == nil)
        // Who asks again for a question that has been given up takes a place again.
        let again = resolver.begin(try .test("n0.example.test A"), deadline: .now() + 5)
        #expect(again.poll() == nil)
        let tooMany = resolver.begin(try .test("n4.example.test A"), deadline: .now() + 5)
        #expect(tooMany.poll() != nil)
        server.stop()
    }

    /// Keys on servers that do not answer leave places for policies.
    @Test func policyRecordsHaveAShareOfTheirOwn() throws {
        var options = UnboundResolver.Options(nameservers: [server.nameserver])
        options.questionLimit = 4
        let resolver = try UnboundResolver(options)
        server.setSilent(true)
        let keys = try (0..<4).map {
            resolver.begin(try .test("s._domainkey.n\($0).example.test TXT"), deadline: .now() + 5)
        }
        #expect(keys.map { $0.poll() == nil } == [true, true, true, false])
        let policy = resolver.begin(try .test("_dmarc.example.test TXT"), deadline: .now() + 5)
        #expect(policy.poll() == nil)
        server.stop()
    }

    /// One name that a hostile server leaves hanging must not cost the others their answers.
    @Test func aNameWithoutAnswerDoesNotHoldUpOthers() throws {
        server.set(.drop, for: try DomainName("drop.example.test"))
        let pending = resolver.begin(try .test("drop.example.test A"), deadline: .now() + 30)
        #expect(try ask("one.example.test A", within: 30).line == "192.0.2.1")
        guard case .failure = pending.wait() else {
            Issue.record("an answer came to a question without one")
            return
        }
        // What a hostile sender can have us ask is so many packets, and no more; the server itself
        // is asked about the root whether it is there, and once for the question that was answered.
        #expect(server.queries.count { $0.name != .root } <= 5)
        // Nor when its server's silence has been noticed.
        #expect(try ask("six.example.test AAAA", within: 30).line == "2001:db8::6")
        server.stop()
    }

    /// Silence belongs to the zone: every question goes to the host's own servers, which ask those of
    /// the zones, so that to back off from a server would be to stop asking for everybody else.
    @Test func silentZonesTakeNothingFromOthersOfTheSameServer() throws {
        server.setSilent(below: try DomainName("silent.test"))
        let pending = try (0..<40).map { index in
            try resolver.begin(
                .test("n\(index).z\(index % 10).silent.test A"), deadline: .now() + 60)
        }
        for answer in pending {
            guard case .failure = answer.wait() else {
                Issue.record("an answer came to a question without one")
                return
            }
        }
        // Each of the ten zones has left four questions unanswered, and gets two at a time.
        let more = try (0..<3).map {
            try resolver.begin(.test("m\($0).z0.silent.test A"), deadline: .now() + 60)
        }
        #expect(more.map { $0.poll() } == [nil, nil, .failure(.timeout)])
        // The server is asked for all others, in any number, as if nothing were.
        #expect(try ask("one.example.test A", within: 30).line == "192.0.2.1")
        for index in 0..<20 {
            #expect(try ask("n\(index).example.test A", within: 30) == .nameError(.insecure))
        }
        for answer in more { answer.cancel() }
        server.stop()
    }

    /// While names without answer are asked for in a flood, libunbound takes their silence for an outage
    /// of the only server it knows, unless it is kept from remembering: then it asks less and less, and
    /// in the end fails every question at once, without a packet.
    @Test func aFloodOfSilentNamesIsNoOutage() throws {
        server.setSilent(below: try DomainName("silent.test"))
        let names = try (0..<800).map { try DomainName("k.z\($0).silent.test") }
        var failures: [DNSAnswer] = []
        for (index, name) in names.enumerated() {
            resolver.begin(DNSQuestion(name, .txt), deadline: .now() + 60).cancel()
            if index.isMultiple(of: 5) {
                let answer = try ask("n\(index).example.test A", within: 30)
                if answer != .nameError(.insecure) { failures.append(answer) }
            }
            Thread.sleep(forTimeInterval: 0.01)
        }
        #expect(failures == [])
        // Each is asked as often as a single one is.
        let end = MonotonicTime.now() + 60
        var counts: [DomainName: Int] = [:]
        repeat {
            Thread.sleep(forTimeInterval: 0.1)
            counts = Dictionary(server.queries.map { ($0.name, 1) }, uniquingKeysWith: +)
        } while names.contains { counts[$0, default: 0] < 4 } && MonotonicTime.now() < end
        #expect(Set(names.map { counts[$0, default: 0] }) == [4])
        server.stop()
    }

    /// "How long one DNS answer may take" is what `DNSTimeout` says, whichever way it comes: an answer counts also when it is
    /// slower than the library sends its packets, for one name or for all (RFC 7208, section 4.6.4: slow is not silent).
    @Test func aSlowWayIsNoSilence() throws {
        let states = Locked<[NameserverState]>([])
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver])) { state in
            states.withLock { $0.append(state) }
        }
        for name in ["one.example.test", "six.example.test"] {
            server.set(.late(2.5), for: try DomainName(name))
        }
        // The question by which the server itself is found to be there.
        server.set(.late(2.5), for: .root)
        let first = resolver.begin(try .test("one.example.test A"), deadline: .now() + 60)
        let second = resolver.begin(try .test("six.example.test AAAA"), deadline: .now() + 60)
        #expect(first.wait().line == "192.0.2.1")
        #expect(second.wait().line == "2001:db8::6")
        #expect(states.withLock { $0.isEmpty })
        #expect(server.queries.count { $0.name != .root } <= 8)
        server.stop()
    }

    @Test func aServerThatComesBackIsFoundSoon() throws {
        server.setSilent(true)
        for index in 0..<10 { _ = try ask("n\(index).example.test A", within: 0.3) }
        server.setSilent(false)
        // Until the server's answer to a probe, questions fail at once.
        let end = MonotonicTime.now() + 60
        var index = 1000
        while try ask("n\(index).example.test A", within: 1) != .nameError(.insecure) {
            try #require(MonotonicTime.now() < end, "it was not found again")
            Thread.sleep(forTimeInterval: 0.05)
            index += 1
        }
        server.stop()
    }

    /// While no server answers, questions fail at once, and one line says so; another when one answers again.
    @Test func whileNothingAnswersQuestionsFailAtOnce() throws {
        let states = Locked<[NameserverState]>([])
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver])) { state in
            states.withLock { $0.append(state) }
        }
        server.setSilent(true)
        let start = MonotonicTime.now()
        let first = resolver.resolve(try .test("one.example.test A"), deadline: start + 60)
        #expect(first == .failure(.noServer))
        let next = resolver.begin(try .test("six.example.test AAAA"), deadline: .now() + 60)
        #expect(next.poll() == .failure(.noServer))
        server.setSilent(false)
        while states.withLock({ $0.count }) < 2, MonotonicTime.now().seconds(since: start) < 60 {
            Thread.sleep(forTimeInterval: 0.05)
        }
        let answer = resolver.resolve(try .test("six.example.test AAAA"), deadline: .now() + 30)
        #expect(answer.line == "2001:db8::6")
        let told = states.withLock { $0.map(\.description) }
        #expect(told.count == 2)
        #expect(
            told.first?.hasPrefix("the DNS server \(server.nameserver) has not answered") == true)
        #expect(told.last?.hasPrefix("the DNS server \(server.nameserver) answers again") == true)
        server.stop()
    }

    /// A name whose servers are silent says nothing about the resolver's own.
    @Test func aNameWithoutAnswerIsNoOutage() throws {
        let states = Locked<[NameserverState]>([])
        let resolver = try UnboundResolver(.init(nameservers: [server.nameserver])) { state in
            states.withLock { $0.append(state) }
        }
        server.set(.drop, for: try DomainName("drop.example.test"))
        let answer = resolver.resolve(try .test("drop.example.test A"), deadline: .now() + 4)
        #expect(answer == .failure(.timeout))
        #expect(states.withLock { $0.isEmpty })
        server.stop()
    }

    @Test func aResolverThatGoesAwayLeavesNoWaiterBehind() throws {
        server.setSilent(true)
        var resolver: UnboundResolver? = try UnboundResolver(
            .init(nameservers: [server.nameserver]))
        let pending = resolver?.begin(try .test("one.example.test A"), deadline: .now() + 20)
        resolver = nil
        #expect(pending?.wait() == .failure(.resolver("the resolver was closed")))
        server.stop()
    }

    @Test func threadsShareAResolver() throws {
        let questions = try (0..<40).map { try DNSQuestion.test("n\($0).example.test A") }
        let resolver = resolver
        DispatchQueue.concurrentPerform(iterations: 16) { thread in
            for round in 0..<100 {
                let question = questions[(thread &* 7 &+ round) % questions.count]
                let answer = resolver.resolve(question, deadline: .now() + 10)
                #expect(answer == .nameError(.insecure))
            }
        }
        server.stop()
    }

    @Test func mistakesInTheSetUpAreNamed() throws {
        var options = UnboundResolver.Options()
        options.resolvConf = "/nonexistent/resolv.conf"
        #expect(throws: UnboundResolver.SetupError.self) { try UnboundResolver(options) }
        options.resolvConf = "/dev/null"
        #expect(throws: Never.self) { try UnboundResolver(options) }
        options = .init(nameservers: [server.nameserver], trustAnchorFile: "/nonexistent/key")
        #expect(throws: UnboundResolver.SetupError.trustAnchors("/nonexistent/key")) {
            try UnboundResolver(options)
        }
        server.stop()
    }
}
