import MailAuth
import MailDNS
import MailSyntax
import Testing

@Suite("DMARC tables")
struct DMARCTableTests {
    @Test("the table can be read")
    func readable() throws {
        #expect(try DMARCCase.table().count > 90)
    }

    @Test("message", arguments: DMARCCase.all)
    func message(_ test: DMARCCase) {
        let evaluation = test.evaluate()
        #expect(evaluation.result.rawValue == test.expected["result"], "\(evaluation.sentence)")
        #expect(evaluation.disposition.rawValue == test.expected["does"] ?? "none")
        let policy = evaluation.deciding?.policy
        #expect(
            policy.map { "\($0.tag)=\($0.published) \($0.domain)" } == test.expected["policy"])
        if let method = test.expected["by"] { #expect(policy?.method.rawValue == method) }
        if let sentence = test.expected["says"] { #expect(evaluation.sentence == sentence) }
        if let asked = test.expected["asks"] {
            let names = evaluation.questions.map {
                $0.type == .txt ? $0.name.parent?.ascii ?? "" : "?\($0.name)"
            }
            #expect(names.joined(separator: " ") == asked)
        }
        #expect(evaluation.sentence.utf8.allSatisfy { 0x20...0x7E ~= $0 })
    }

    /// The order in which things become known changes nothing.
    @Test("in any order", arguments: DMARCCase.all)
    func order(_ test: DMARCCase) {
        let plain = test.evaluate()
        for bits in 1..<8 {
            let other = test.evaluate(
                identifiersFirst: bits & 1 != 0, asksAhead: bits & 2 != 0, lastFirst: bits & 4 != 0)
            #expect(other.result == plain.result)
            #expect(other.disposition == plain.disposition)
            #expect(other.sentence == plain.sentence)
            #expect(other.deciding?.policy == plain.deciding?.policy)
        }
    }

    @Test("record", arguments: try Table.blocks("records.txt", of: "DMARC"))
    func record(_ lines: [String]) throws {
        try #require(lines.count == 3)
        let record = DMARCRecord(parsing: Table.octets(lines[1]))
        #expect(record.map(Self.describe) ?? "none" == lines[2], "\(lines[0])")
    }

    private static func describe(_ record: DMARCRecord) -> String {
        var words = ["p=\(record.policy?.rawValue ?? "absent")"]
        words += record.subdomainPolicy.map { ["sp=\($0)"] } ?? []
        words += record.nonexistentPolicy.map { ["np=\($0)"] } ?? []
        if record.dkimAlignment == .strict { words.append("adkim=s") }
        if record.spfAlignment == .strict { words.append("aspf=s") }
        if record.publicSuffix != .unspecified {
            words.append("psd=\(record.publicSuffix.rawValue)")
        }
        if record.isTesting { words.append("t=y") }
        if record.failureOptions != .default {
            let letters: [(DMARCFailureOptions, String)] = [
                (.allFail, "0"), (.anyFails, "1"), (.dkimFails, "d"), (.spfFails, "s"),
            ]
            let named = letters.filter { record.failureOptions.contains($0.0) }.map(\.1)
            words.append("fo=\(named.joined(separator: ":"))")
        }
        words += record.aggregateReportURIs.map { "rua=\($0.text)" }
        words += record.failureReportURIs.map { "ruf=\($0.text)" }
        if !record.isActionable { words.append("inactive") }
        return words.joined(separator: " ")
    }
}
