import Configuration
import TestKit
import Testing
import Threads

@testable import FlightRecord

/// Entries, their octets, and what is written of people.
@Suite struct FlightEntryTests {
    private static func sample() -> FlightEntry {
        var entry = FlightEntry(.dmarc, time: 1_764_250_000_123_456)
        entry.add(.queueID, "4QxYz1")
        entry.add(.clientAddress, "192.0.2.77")
        entry.add(.clientName, "client.example.net")
        entry.add(.helo, "helo.example.net")
        entry.add(.login, "alice.secret")
        entry.add(.messageID, "20261127.alice@host.example")
        entry.add(.sender, "bounce-private@example.org")
        entry.add(.recipient, "robert.hidden@example.com")
        entry.add(.author, "example.org")
        entry.add(.question, "77.2.0.192.in-addr.arpa PTR: client.example.net")
        entry.add(.question, "bounce-private._spf.example.org TXT: NXDOMAIN")
        entry.add(.question, "example.org TXT: v=spf1 -all")
        entry.add(.reason, "SPF fail of bounce-private@example.org from 192.0.2.77")
        entry.add(.reply, "550 see http://example.org/why?ip=192.0.2.77&s=robert.hidden")
        entry.add(.rule, "signing.table:7 covers *@example.org only")
        return entry
    }

    private static let secrets = [
        "192.0.2.77", "77.2.0.192", "client.example.net", "helo.example.net", "alice",
        "bounce-private", "robert",
    ]

    @Test func entryIsReadAsItWasWritten() {
        let entry = Self.sample()
        var octets: [UInt8] = []
        FlightCoding.append(entry, to: &octets)
        #expect(FlightCoding.entry(octets[...]) == entry)
    }

    @Test func noCutOrChangedEntryIsRead() throws {
        var octets: [UInt8] = []
        FlightFrame.append(Self.sample(), to: &octets)
        let place = try #require(FlightFrame.place(at: 0, in: octets))
        #expect(FlightFrame.entry(at: place, in: octets) == Self.sample())
        for length in 0..<octets.count {
            #expect(FlightFrame.place(at: 0, in: Array(octets.prefix(length))) == nil)
        }
        for index in octets.indices {
            var changed = octets
            changed[index] ^= 0x20
            let entry = FlightFrame.place(at: 0, in: changed)
                .flatMap { FlightFrame.entry(at: $0, in: changed) }
            #expect(entry == nil, "octet \(index)")
        }
    }

    @Test func howMuchIsKeptIsNotForStrangersToSay() {
        var entry = FlightEntry(.dkim, time: 0)
        for _ in 0..<10_000 { entry.add(.recipient, String(repeating: "ü", count: 5_000)) }
        #expect(entry.items.count == FlightEntry.mostItems)
        #expect(entry.items.allSatisfy { $0.text.utf8.count <= FlightEntry.longestText })
        var octets: [UInt8] = []
        FlightFrame.append(entry, to: &octets)
        #expect(octets.count <= FlightFrame.longest)
        #expect(FlightFrame.place(at: 0, in: octets) != nil)
    }

    /// The vector of the SipHash paper's appendix A.
    @Test func codesAreSipHash() {
        let code = FlightCode(key: Array(0..<16))
        #expect(code.hash(Array(0..<15)) == 0xa129_ca61_49be_45e5)
    }

    @Test func strictRecordTellsOfNobody() {
        let redactor = FlightRedactor(.strict, FlightCode(key: []))
        let entry = redactor.redacted(Self.sample())
        for item in entry.items {
            for secret in Self.secrets {
                #expect(!item.text.contains(secret), "\(item.key): \(item.text)")
            }
        }
        #expect(entry[.queueID] == "4QxYz1")
        #expect(entry[.author] == "example.org")
        #expect(entry[.sender] == "(hidden)@example.org")
        #expect(entry[.rule] == "signing.table:7 covers *@example.org only")
        #expect(entry.all(.question) == ["example.org TXT: v=spf1 -all"])
    }

    @Test func nullReversePathIsNoSecret() {
        var entry = FlightEntry(.spf, time: 0)
        entry.add(.sender, "<>")
        #expect(FlightRedactor(.strict, FlightCode(key: [])).redacted(entry)[.sender] == "<>")
    }

    @Test func addressOfSixthVersionIsFoundInNames() {
        var entry = FlightEntry(.spf, time: 0)
        entry.add(.clientAddress, "2001:db8::cb01")
        entry.add(
            .question,
            "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.c.b.0.1.example.org A: NODATA")
        #expect(FlightRedactor(.strict, FlightCode(key: [])).redacted(entry).items.isEmpty)
    }

    @Test func codesTellAddressesApart() {
        let redactor = FlightRedactor(.hashed, FlightCode(key: Array(0..<16)))
        let entry = redactor.redacted(Self.sample())
        for item in entry.items {
            for secret in Self.secrets where !secret.hasPrefix("77") {
                #expect(!item.text.contains(secret), "\(item.key): \(item.text)")
            }
        }
        #expect(entry[.clientAddress] == FlightCode(key: Array(0..<16)).text(of: "192.0.2.77"))
        #expect(entry[.sender]?.hasSuffix("@example.org") == true)
    }
}
