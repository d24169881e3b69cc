import MailSyntax
import TestKit
import Testing
import Threads

@testable import MailDNS

@Suite struct RecordDataTests {
    /// A type, its data in wire form, and the record; nil where the data is not of the type.
    static let cases: [(RecordType, [UInt8], String?)] = [
        (.a, [192, 0, 2, 1], "192.0.2.1"),
        (.a, [192, 0, 2], nil),
        (.a, [], nil),
        (
            .aaaa, [0x20, 0x01] + Array(repeating: 0, count: 13) + [1],
            "2001::1"
        ),
        (.aaaa, [192, 0, 2, 1], nil),
        (.mx, [0, 10, 1, 0x61, 0], "mx 10 a"),
        (.mx, [0, 0, 0], "mx 0 ."),
        (.mx, [0, 10], nil),
        (.mx, [0], nil),
        (.srv, [0, 1, 0, 2, 1, 0xD1, 1, 0x61, 0], "srv 1 2 465 a"),
        (.srv, [0, 0, 0, 0, 0, 0, 0], "srv 0 0 0 ."),
        (.srv, [0, 0, 0, 0, 0, 0], nil),
        (.srv, [0, 0, 0], nil),
        (.ptr, [1, 0x41, 2, 0x62, 0x63, 0], "name a.bc"),
        // No end, a length beyond the data, octets after the end, a compression pointer.
        (.ptr, [1, 0x61], nil),
        (.ptr, [9, 0x61, 0], nil),
        (.ptr, [1, 0x61, 0, 0], nil),
        (.ptr, [0xc0, 0x0c], nil),
        (.ptr, [], nil),
        // A dot, a space and an octet beyond ASCII within a label.
        (.ptr, [3, 0x61, 0x2e, 0x62, 0], nil),
        (.ptr, [3, 0x61, 0x20, 0x62, 0], nil),
        (.ptr, [2, 0xc3, 0xa4, 0], nil),
        (.ptr, Array(repeating: [1, 0x61], count: 128).flatMap { $0 } + [0], nil),
        (.txt, [1, 0x61, 0, 2, 0x62, 0x63], "text [a||bc]"),
        (.txt, [0], "text []"),
        (.txt, [], nil),
        (.txt, [2, 0x61], nil),
    ]

    @Test(arguments: cases)
    func data(_ type: RecordType, _ bytes: [UInt8], _ record: String?) {
        #expect(DNSRecord(type, data: bytes)?.line == record)
    }

    @Test func randomDataNeverTraps() {
        for _ in 0..<5000 {
            let bytes = (0..<Int.random(in: 0...40)).map { _ in UInt8.random(in: 0...255) & 0xc7 }
            for type in RecordType.allCases { _ = DNSRecord(type, data: bytes) }
        }
    }
}

@Suite struct NameserverTests {
    static let lists: [(String, String)] = [
        ("192.0.2.1", "192.0.2.1@53"),
        ("192.0.2.1@5353, ::1", "192.0.2.1@5353 ::1@53"),
        ("2001:db8::1@54,[2001:db8::2]@55", "2001:db8::1@54 2001:db8::2@55"),
        ("", "a name server's address is missing"),
        (" , ", "a name server's address is missing"),
        ("@53", "a name server's address is missing"),
        ("dns.example.com", "'dns.example.com' is not the IP address of a name server"),
        ("192.0.2.1@0", "'0' is not a port"),
        ("192.0.2.1@", "'' is not a port"),
        ("192.0.2.1@65536", "'65536' is not a port"),
        ("192.0.2.1@+53", "'+53' is not a port"),
        ("192.0.2.1@53@54", "'53@54' is not a port"),
    ]

    @Test(arguments: lists)
    func list(_ text: String, _ expected: String) {
        do throws(NameserverError) {
            let servers = try Nameserver.list(text)
            #expect(servers.map(\.description).joined(separator: " ") == expected)
        } catch {
            #expect(error.description == expected)
        }
    }
}

@Suite struct AnswerCacheTests {
    private let now = MonotonicTime.now()

    @Test func keepsAnswersUntilTheirTTLEnds() throws {
        let cache = AnswerCache()
        let question = try DNSQuestion.test("a.example A")
        let other = try DNSQuestion.test("a.example MX")
        cache.insert(.noData(.insecure), to: question, ttl: 10, at: now)
        #expect(cache.answer(to: question, at: now + 9.9) == .noData(.insecure))
        #expect(cache.answer(to: question, at: now + 10) == nil)
        #expect(cache.answer(to: other, at: now) == nil)
    }

    @Test func keepsNoFailureAndNothingWithoutTTL() throws {
        let cache = AnswerCache()
        let question = try DNSQuestion.test("a.example A")
        cache.insert(.failure(.timeout), to: question, ttl: 10, at: now)
        cache.insert(.noData(.insecure), to: question, ttl: 0, at: now)
        cache.insert(.noData(.insecure), to: question, ttl: -1, at: now)
        #expect(cache.answer(to: question, at: now) == nil)
    }

    @Test func anAgeIsBounded() throws {
        let cache = AnswerCache()
        let question = try DNSQuestion.test("a.example A")
        cache.insert(.noData(.insecure), to: question, ttl: .max, at: now)
        #expect(cache.answer(to: question, at: now + 3599) != nil)
        #expect(cache.answer(to: question, at: now + 3600) == nil)
    }

    @Test func entriesAreBoundedAndAnswersInUseStay() throws {
        let cache = AnswerCache()
        let used = try DNSQuestion.test("used.example A")
        cache.insert(.noData(.secure), to: used, ttl: 3600, at: now)
        let questions = try (0..<20000).map { try DNSQuestion.test("n\($0).example A") }
        for question in questions {
            cache.insert(.noData(.insecure), to: question, ttl: 3600, at: now)
            #expect(cache.answer(to: used, at: now) == .noData(.secure))
        }
        let kept = questions.count { cache.answer(to: $0, at: now) != nil }
        #expect(kept > 1000 && kept <= 4096)
    }

    @Test func octetsAreBounded() throws {
        let cache = AnswerCache()
        let text = DNSRecord.text(Array(repeating: Array(repeating: 0x61, count: 255), count: 100))
        let questions = try (0..<200).map { try DNSQuestion.test("n\($0).example TXT") }
        for question in questions {
            cache.insert(.records([text], .insecure), to: question, ttl: 3600, at: now)
        }
        let kept = questions.count { cache.answer(to: $0, at: now) != nil }
        #expect(kept > 8 && kept * 25_500 <= 1024 * 1024)
    }
}
