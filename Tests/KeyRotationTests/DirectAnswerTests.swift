import MailSyntax
import TestKit
import Testing

@testable import KeyRotation

@Suite struct DirectAnswerTests {
    private let name: DomainName
    /// An answer with a compressed owner, a TXT record of two strings, and an SOA record.
    private let octets: [UInt8]

    init() throws {
        name = try DomainName("s._domainkey.example.org")
        var octets: [UInt8] = [0x12, 0x34, 0x84, 0x00, 0, 1, 0, 1, 0, 1, 0, 0]
        octets += DirectAnswer.question(name, 16, id: 0)[12..<(12 + 26 + 4)]
        octets += [0xC0, 12, 0, 16, 0, 1, 0, 0, 2, 0x58, 0, 6, 2, 0x61, 0x62, 2, 0x63, 0x64]
        octets += [0xC0, 12, 0, 6, 0, 1, 0, 0, 0, 60, 0, 24, 0xC0, 12, 0xC0, 12]
        octets += [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0x03, 0x84]
        self.octets = octets
    }

    @Test func `what is needed is read`() throws {
        let answer = try #require(DirectAnswer(octets, to: name, 16, id: 0x1234))
        #expect(answer.isAuthoritative && !answer.isTruncated && answer.responseCode == 0)
        #expect(answer.records.map(\.ttl) == [600, 60])
        #expect(
            answer.records.map(\.data) == [.text(Array("abcd".utf8)), .authority(minimum: 900)])
        #expect(answer.records.allSatisfy { $0.owner == name })
    }

    @Test func `an answer to something else is none`() throws {
        #expect(DirectAnswer(octets, to: name, 16, id: 0x1235) == nil)
        #expect(DirectAnswer(octets, to: name, 6, id: 0x1234) == nil)
        #expect(DirectAnswer(octets, to: try DomainName("x.org"), 16, id: 0x1234) == nil)
    }

    @Test func `any prefix and any changed octet has a defined end`() {
        for count in 0..<octets.count {
            #expect(DirectAnswer(Array(octets.prefix(count)), to: name, 16, id: 0x1234) == nil)
        }
        var generator = SeededGenerator(seed: 7)
        for index in octets.indices {
            for value in [0, 0x3F, 0xC0, 0xFF, UInt8.random(in: 0...255, using: &generator)] {
                var changed = octets
                changed[index] = value
                _ = DirectAnswer(changed, to: name, 16, id: 0x1234)
            }
        }
    }

    @Test func `names that point in circles end`() {
        var reader = WireReader([1, 0x61, 0xC0, 0])
        reader.position = 2
        #expect(reader.name() == nil)
        reader.position = 0
        #expect(reader.name() == nil)
    }
}
