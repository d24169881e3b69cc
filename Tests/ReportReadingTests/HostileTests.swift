import Foundation
import ReportStore
import TestKit
import Testing

@testable import ReportReading

/// What an attacker sends: everything has a defined end within its bounds.
@Suite struct HostileTests {
    @Test func `entities and document types are refused`() {
        let laughs = (1..<9).map { level in
            "<!ENTITY a\(level) \"\(String(repeating: "&a\(level - 1);", count: 10))\">"
        }.joined()
        for type in [
            "<!DOCTYPE feedback [<!ENTITY a0 \"ha\">\(laughs)]>",
            "<!DOCTYPE feedback SYSTEM \"file:///etc/passwd\">", "<!DOCTYPE feedback>",
        ] {
            let text = Sample.xml(
                Sample.record(from: "<header_from>&a8;</header_from>"), head: type)
            #expect(
                Sample.reasons(Sample.read(text)) == [
                    "it has a document type declaration, which no report needs"
                ])
        }
        // Where the first attempt fails before the declaration is seen, the second one sees it.
        let late = "<a & b>" + Sample.xml(head: "<!DOCTYPE feedback [<!ENTITY a \"b\">]>")
        #expect(Sample.reports(Sample.read(late)).isEmpty)
    }

    @Test func `what unpacks to too much is refused`() throws {
        let bomb = Array("<feedback>".utf8) + [UInt8](repeating: 0x20, count: 20 << 20)
        for octets in [try Sample.gzip(bomb), try Sample.zip([("a.xml", bomb)])] {
            let reasons = Sample.reasons(ReportReader.read(octets))
            #expect(reasons.count == 1)
            #expect(reasons.first?.contains("times its size") == true, "\(reasons)")
        }
        var limits = ReadingLimits()
        limits.unpacked = 1000
        let small = try Sample.gzip(
            Array(Sample.xml(String(repeating: Sample.record(), count: 9)).utf8))
        #expect(
            Sample.reasons(ReportReader.read(small, limits: limits)).first?.contains(
                "more than 0 MB")
                == true)
    }

    @Test func `what takes too long is refused after the piece that is under way`() throws {
        let text = Sample.xml(String(repeating: Sample.record(), count: 2000))
        var limits = ReadingLimits()
        #expect(Sample.reports(ReportReader.read(Array(text.utf8), limits: limits)).count == 1)
        limits.isOutOfTime = { true }
        for octets in [Array(text.utf8), try Sample.gzip(Array(text.utf8))] {
            let reasons = Sample.reasons(ReportReader.read(octets, limits: limits))
            #expect(reasons == ["it takes too long to read, and is not read to its end"])
        }
    }

    @Test func `archives in archives end at a depth`() throws {
        var octets = try Sample.zip([("a.xml", Array(Sample.xml().utf8))])
        octets = try Sample.zip([("b.zip", octets)])
        #expect(Sample.reports(ReportReader.read(octets)).count == 1)
        for _ in 0..<3 { octets = try Sample.zip([("c.zip", octets)]) }
        #expect(Sample.reasons(ReportReader.read(octets)) == ["archives are nested deeper than 3"])
        let many = (0..<300).map { ("f\($0).txt", [UInt8](1...2)) }
        #expect(
            Sample.reasons(ReportReader.read(try Sample.zip(many)))
                == ["the archive has more than 256 files"])
    }

    @Test func `what only begins like gzip is not unpacked again and again`() {
        let octets = [0x1F, 0x8B] + [UInt8](repeating: 0x41, count: 10_000)
        #expect(
            Sample.reasons(ReportReader.read(octets)) == ["it begins like gzip, and is not"])
    }

    @Test func `a file that is too large is refused unread`() {
        let octets = [UInt8](repeating: 0x3C, count: (25 << 20) + 1)
        #expect(
            Sample.reasons(ReportReader.read(octets)) == [
                "it has more than 25 MB, which is not read"
            ])
    }

    @Test func `rows that all differ end at a number`() throws {
        var limits = ReadingLimits()
        limits.rows = 100
        let rows = (0..<101).map { Sample.record(source: "<source_ip>10.0.0.\($0)</source_ip>") }
        let found = ReportReader.read(Array(Sample.xml(rows.joined()).utf8), limits: limits)
        #expect(Sample.reasons(found) == ["it has more than 100 different rows"])
        limits.verdictText = 5000
        let names = (0..<101).map {
            Sample.record(from: "<header_from>a\($0).example</header_from>")
        }
        let other = ReportReader.read(Array(Sample.xml(names.joined()).utf8), limits: limits)
        #expect(Sample.reasons(other) == ["its rows have too many different names and results"])
    }

    @Test func `elements end at a depth`() {
        let text = "<feedback>" + String(repeating: "<record>", count: 10_000)
        #expect(Sample.reasons(Sample.read(text)) == ["its elements are nested deeper than 48"])
    }

    /// Neither the sum of a report, nor those that the store and its readers make of very many reports.
    @Test func `sums do not overflow`() throws {
        let row = Sample.record(count: "<count>1000000000</count>")
        let text = Sample.xml(String(repeating: row, count: 1000))
        #expect(Sample.reports(Sample.read(text)).first?.messages == 1_000_000_000_000)
        let more = Sample.xml(String(repeating: row, count: 1001))
        #expect(
            Sample.reasons(Sample.read(more)) == ["its rows count more messages than there are"])
        let policy = "{\"summary\":{\"total-successful-session-count\":1000000000000}}"
        #expect(
            Sample.reasons(Sample.read(Self.tls([policy, policy])))
                == ["its policies count more sessions than there are"])
    }

    /// An SMTP TLS report with policies besides one that is as it should be.
    private static func tls(_ policies: [String]) -> String {
        let first = "{\"policy\":{\"policy-type\":\"sts\",\"policy-domain\":\"example.org\"}}"
        return "{\"organization-name\":\"R\",\"report-id\":\"1\",\"date-range\":"
            + "{\"start-datetime\":\"2024-01-09T00:00:00Z\",\"end-datetime\":\"2024-01-09T23:59:59Z\"},"
            + "\"policies\":[\(([first] + policies).joined(separator: ","))]}"
    }

    @Test func `a tag and the names that the parser remembers are bounded`() {
        var limits = ReadingLimits()
        func reasons(_ text: String) -> [String] {
            Sample.reasons(ReportReader.read(Array(text.utf8), limits: limits))
        }
        let value = String(repeating: "a", count: 2 << 20)
        for tag in ["<record a=\"\(value)\"/>", "<!--\(value)-->", "<?a \(value)?>"] {
            #expect(
                reasons(Sample.xml(tag)) == ["it has a tag or a comment of more than 1024 kB"])
        }
        // Text is not kept, however long it is.
        #expect(Sample.reports(Sample.read(Sample.xml(value + Sample.record()))).count == 1)
        limits.names = 100
        for one in [
            "<record \((0..<101).map { "a\($0)=\"\"" }.joined(separator: " "))/>",
            (0..<101).map { "<a\($0)/>" }.joined(),
        ] {
            #expect(
                reasons(Sample.xml(one + Sample.record())) == [
                    "it has too many attributes, or elements that are not of the format"
                ])
        }
    }

    @Test func `of a record's results and reasons as many are kept as are looked at`() throws {
        let signature = "<dkim><domain>a.example</domain><result>fail</result></dkim>"
        let last = "<dkim><domain>b.example</domain><result>pass</result></dkim>"
        let reason = "<reason><type>other</type></reason>"
        let spf = "<spf><domain>c.example</domain><result>fail</result></spf>"
        let record = Sample.record(
            evaluated: String(repeating: reason, count: 20_000)
                + "<dkim>pass</dkim><spf>fail</spf>",
            results: String(repeating: signature, count: 20_000) + last
                + String(repeating: spf, count: 20_000))
        let verdict = try #require(
            Sample.reports(Sample.read(Sample.xml(record))).first?.verdicts.first)
        #expect(verdict.signatures.count == 100)
        #expect(verdict.signatures.allSatisfy { $0.domain == "a.example" && $0.result == "fail" })
        #expect(verdict.reasons.split(separator: "\n").count == 8)
        #expect(verdict.spfDomain == "c.example")
    }

    @Test func `failures of sessions end at a number`() throws {
        let many = Array(repeating: "{}", count: 999).joined(separator: ",")
        let policy = "{\"failure-details\":[\(many)]}"
        let report = try #require(
            Sample.reports(Sample.read(Self.tls(Array(repeating: policy, count: 50)))).first)
        #expect(report.sessions.reduce(0) { $0 + $1.failures.count } == 10_000)
        #expect(report.notes.contains { $0.contains("more than 10000 failure-details") })
    }

    /// Every sample cut, changed and doubled, a thousand times, by a generator with a fixed seed.
    @Test func `a thousand changed samples end soon and within the bounds`() throws {
        var random = SeededGenerator(seed: 17)
        let tls = """
            {"organization-name":"R","date-range":{"start-datetime":"2024-01-09T00:00:00Z",
            "end-datetime":"2024-01-09T23:59:59Z"},"contact-info":"a@b.example","report-id":"1",
            "policies":[{"policy":{"policy-type":"sts","policy-domain":"example.org"},"summary":
            {"total-successful-session-count":1,"total-failure-session-count":2}}]}
            """
        let failure = """
            From: d@reports.example
            Content-Type: multipart/report; report-type=feedback-report; boundary="b"

            --b
            Content-Type: text/plain

            A DMARC failure report.
            --b
            Content-Type: message/feedback-report

            Feedback-Type: auth-failure
            Source-IP: 192.0.2.1
            Reported-Domain: example.org
            --b
            Content-Type: message/rfc822

            From: a@example.org

            --b--
            """
        let xml = Array(Sample.xml(String(repeating: Sample.record(), count: 20)).utf8)
        let seeds = [
            xml, try Sample.gzip(xml), try Sample.zip([("a.xml", xml), ("b/c.xml", xml)]),
            Sample.mail(try Sample.gzip(xml)), Array(tls.utf8), Array(failure.utf8),
        ]
        for seed in seeds { #expect(Sample.reports(ReportReader.read(seed)).count >= 1) }
        for round in 0..<1000 {
            var octets = seeds[round % seeds.count]
            for _ in 0...Int.random(in: 0..<6, using: &random) {
                let place = Int.random(in: 0..<max(octets.count, 1), using: &random)
                switch Int.random(in: 0..<5, using: &random) {
                case 0 where !octets.isEmpty:
                    octets[place] = UInt8.random(in: 0...255, using: &random)
                case 1: octets = Array(octets.prefix(place))
                case 2: octets.insert(contentsOf: octets.prefix(200), at: min(place, octets.count))
                case 3: octets.insert(contentsOf: "<&\u{0}\"".utf8, at: min(place, octets.count))
                default:
                    let end = min(octets.count, place + Int.random(in: 0..<64, using: &random))
                    octets.removeSubrange(min(place, end)..<end)
                }
            }
            let found = ReportReader.read(octets)
            #expect(!found.isEmpty, "round \(round)")
            for report in Sample.reports(found) {
                #expect(report.notes.count <= 48)
                #expect(!report.domain.isEmpty)
                let sum = report.counts.reduce(Int64(0)) { $0 + $1.messages }
                #expect(report.kind != .aggregate || sum == report.messages)
            }
        }
    }
}
