import MailSyntax
import TestKit
import Testing

@Suite struct HeaderSectionTests {
    @Test func keepsEachOctet() {
        var header = HeaderSection()
        header.append(name: "Subject", value: " a\n\tb\r\n c")
        header.append(name: "X-Eight", value: "")
        header.append(
            name: Array("SUBJECT \t".utf8), value: [0, 0xFF, 0x0D, 0x61])
        let expected =
            Array("Subject: a\r\n\tb\r\n c\r\nX-Eight:\r\nSUBJECT \t:".utf8) + [
                0, 0xFF, 0x0D, 0x61, 0x0D, 0x0A,
            ]
        #expect(header.bytes == expected)
        #expect(header.fields.flatMap { header.bytes[$0.whole] } == expected)
        #expect(Array(header.name(of: 2)) == Array("SUBJECT".utf8))
        #expect(Array(header.value(of: 0)) == Array(" a\r\n\tb\r\n c".utf8))
        #expect(header.value(of: 1).isEmpty)
        #expect(header.indices(named: .subject) == [0, 2])
        #expect(header.limitExceeded == nil)
    }

    @Test func findsFieldsByName() {
        var header = HeaderSection()
        for name in ["Received", "From", "RECEIVED", "received", "from", "Receive", ""] {
            header.append(name: name, value: " x")
        }
        #expect(header.indices(named: .received) == [0, 2, 3])
        #expect(header.indices(named: "From") == [1, 4])
        #expect(header.indices(named: "Subject").isEmpty)
        #expect(header.indices(named: "") == [6])
        let spelled = Array("rECEIVE".utf8)
        let found = header.indices(named: spelled.span)
        #expect(found == [5])
        #expect((0..<7).map { header.occurrence(of: $0) } == [1, 1, 2, 3, 2, 1, 1])
        #expect(header.lastIndex(named: .received) == 3)
        #expect(header.previousIndex(sameNameAs: 3) == 2)
        #expect(header.previousIndex(sameNameAs: 0) == nil)
        #expect(header.count(named: .received) == 3)
        #expect(header.count(named: .subject) == 0)
        #expect(HeaderSection().indices(named: .from).isEmpty)
    }

    @Test func theIndexAgreesWithASearch() {
        var noise = SeededGenerator(seed: 5322)
        var header = HeaderSection()
        var names: [[UInt8]] = []
        for _ in 0..<3_000 {
            let name = noise.bytes(upTo: 4, from: Array("aAbB-".utf8))
            names.append(name.asciiLowercased)
            header.append(name: name, value: [])
        }
        for name in Set(names) {
            let expected = names.indices.filter { names[$0] == name }
            #expect(header.indices(named: FieldName(bytes: name.span)) == expected)
            #expect(expected.map { header.occurrence(of: $0) } == Array(1...expected.count))
        }
    }

    @Test func fieldNamesCompareWithoutCase() {
        #expect(FieldName("DKIM-signature") == .dkimSignature)
        #expect(FieldName("DKIM-signature").hashValue == FieldName.dkimSignature.hashValue)
        #expect(FieldName("DKIM-signature").text == "DKIM-signature")
        #expect(FieldName.from.isValid)
        for invalid in ["", "a b", "a:", "é", "a\u{7F}"] { #expect(!FieldName(invalid).isValid) }
    }

    @Test func limitsStopTheStore() {
        var header = HeaderSection(limits: .init(fields: 2, bytes: 100))
        var kept = ["a", "b"].map { header.append(name: $0, value: "1") }
        let full = header.bytes
        kept.append(header.append(name: "c", value: "3"))
        #expect(kept == [true, true, false])
        #expect(header.limitExceeded == .fields(2))
        #expect(header.bytes == full)
        #expect(header.count == 2)

        header = HeaderSection(limits: .init(fields: 9, bytes: 20))
        kept = [String(repeating: "x", count: 16), ""].map { header.append(name: "a", value: $0) }
        #expect(kept == [true, false])
        #expect(header.bytes.count == 20)
        #expect(header.limitExceeded == .bytes(20))

        // LFs that become CRLFs count as what they become, and what follows a dropped field is dropped.
        header = HeaderSection(limits: .init(fields: 9, bytes: 20))
        kept = [String(repeating: "\n", count: 16), "1"].map { header.append(name: "a", value: $0) }
        #expect(kept == [false, false])
        #expect(header.bytes.isEmpty && header.isEmpty)
        #expect(header.indices(named: "a").isEmpty)
    }

    @Test(.timeLimit(.minutes(5))) func hostileSizesCostLinearTime() {
        var many = HeaderSection(limits: .greatest)
        let value = Array(" value".utf8)
        for number in 0..<200_000 {
            many.append(name: Array("X-\(number % 100_000)".utf8), value: value)
        }
        #expect(many.count == 200_000)
        #expect(many.indices(named: "x-99999") == [99_999, 199_999])

        var large = HeaderSection(limits: .greatest)
        let text = [UInt8](repeating: 0x78, count: 1 << 20)
        let folds = [UInt8](repeating: .lf, count: 1 << 20)
        for _ in 0..<50 { large.append(name: Array("X".utf8), value: text) }
        for _ in 0..<5 { large.append(name: Array("X".utf8), value: folds) }
        #expect(large.bytes.count == 60 << 20 | 55 * 4)
        #expect(large.count(named: "X") == 55)
    }
}

@Suite struct MessageSplitTests {
    typealias Ending = SplitMessage.Ending

    /// A message, its header section as stored, its body, and what ended the section.
    static let messages: [(String, String, String, Ending)] = [
        ("A: 1\r\nB:2\r\n\r\nbody\r\n", "A: 1\r\nB:2\r\n", "body\r\n", .emptyLine),
        ("A: 1\nB:2\n\nbody\n", "A: 1\r\nB:2\r\n", "body\n", .emptyLine),
        ("A: 1\r\n\tfold\n  more\r\n\nbody", "A: 1\r\n\tfold\r\n  more\r\n", "body", .emptyLine),
        ("A : 1\n\n", "A : 1\r\n", "", .emptyLine),
        ("A:\n \n\nb", "A:\r\n \r\n", "b", .emptyLine),
        ("A: 1\n", "A: 1\r\n", "", .endOfMessage),
        ("A: 1", "A: 1\r\n", "", .endOfMessage),
        ("A: 1\n x", "A: 1\r\n x\r\n", "", .endOfMessage),
        ("A: 1\r", "A: 1\r\r\n", "", .endOfMessage),
        ("A: a\rb\n\n", "A: a\rb\r\n", "", .emptyLine),
        ("A: \0é\n\n", "A: \0é\r\n", "", .emptyLine),
        ("", "", "", .endOfMessage),
        ("\nbody", "", "body", .emptyLine),
        ("\r\nbody", "", "body", .emptyLine),
        ("no colon\nA: 1\n\n", "", "no colon\nA: 1\n\n", .malformedLine),
        ("A: 1\nno colon\n\nx", "A: 1\r\n", "no colon\n\nx", .malformedLine),
        (" continuation\nA: 1\n", "", " continuation\nA: 1\n", .malformedLine),
        (": no name\n", "", ": no name\n", .malformedLine),
        ("A: 1\n: x\n\n", "A: 1\r\n", ": x\n\n", .malformedLine),
        ("A b: 1\n\n", "", "A b: 1\n\n", .malformedLine),
        ("é: 1\n\n", "", "é: 1\n\n", .malformedLine),
        ("\0: 1\n\n", "", "\0: 1\n\n", .malformedLine),
        ("A\n : 1\n\n", "", "A\n : 1\n\n", .malformedLine),
        ("A", "", "A", .malformedLine),
        ("A:", "A:\r\n", "", .endOfMessage),
    ]

    /// RFC 4155; Thunderbird's files begin with "From - " and a date.
    @Test(arguments: [
        ("From ann@example.org Fri Nov 20 10:00:00 2026\nTo: b@example.net\n\nHi\n", ["To"], 46),
        ("From - Fri Nov 20 10:00:00 2026\r\nX-Mozilla: 1\r\n\r\nHi", ["X-Mozilla"], 33),
        // Obsolete syntax has white space before the colon (RFC 5322, section 4.5).
        ("From : a@example.org\n\nHi\n", ["From"], 0),
        ("From x\nFrom y\nTo: b@example.net\n\n", [], 7),
        ("From \nTo: b@example.net\n\n", [], 0),
        ("To: b@example.net\nFrom x\n\n", ["To"], 0), ("From x", [], 6),
    ]) func mboxSeparators(text: String, names: [String], start: Int) throws {
        let split = try HeaderSection.split(message: Array(text.utf8))
        #expect(
            split.header.fields.indices.map {
                String(decoding: split.header.name(of: $0), as: UTF8.self)
            } == names)
        #expect(split.headerStart == start)
    }

    @Test(arguments: messages)
    func splits(message: String, header: String, body: String, ending: Ending) throws {
        let bytes = Array(message.utf8)
        let split = try HeaderSection.split(message: bytes)
        #expect(split.header.bytes == Array(header.utf8))
        #expect(Array(bytes[split.bodyStart...]) == Array(body.utf8))
        #expect(split.ending == ending)
    }

    @Test func limitsAreErrors() {
        let message = Array("A: 1\nB: 2\n\n".utf8)
        #expect(throws: HeaderSection.LimitExceeded.fields(1)) {
            try HeaderSection.split(message: message, limits: .init(fields: 1))
        }
        #expect(throws: HeaderSection.LimitExceeded.bytes(11)) {
            try HeaderSection.split(message: message, limits: .init(bytes: 11))
        }
        #expect(throws: Never.self) {
            try HeaderSection.split(message: message, limits: .init(bytes: 12))
        }
    }

    @Test func whatIsStoredSplitsAgainToItself() throws {
        var noise = SeededGenerator(seed: 2822)
        for _ in 0..<20_000 {
            let bytes = noise.bytes(upTo: 40, from: Array("Aa:: \t\r\n\n\n".utf8) + [0, 0xE9])
            let first = try HeaderSection.split(message: bytes)
            let second = try HeaderSection.split(message: first.header.bytes)
            #expect(second.header.bytes == first.header.bytes)
            #expect(second.header.fields == first.header.fields)
            #expect(second.ending == .endOfMessage)
            #expect(
                first.header.fields.flatMap { first.header.bytes[$0.whole] } == first.header.bytes)
        }
    }
}
