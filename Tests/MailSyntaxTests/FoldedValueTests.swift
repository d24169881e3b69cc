import MailSyntax
import Testing

@Suite struct FoldedValueTests {
    @Test func tagList() {
        var value = FoldedValue(for: .dkimSignature)
        for tag in ["v=1;", "a=rsa-sha256;", "c=relaxed/simple;", "d=example.com;", "s=mail;"] {
            value.append(tag)
        }
        value.append("h=From:To:Subject:Date;")
        value.appendOnNewLine("b=")
        value.appendBreakable(String(repeating: "A", count: 100))
        #expect(
            value.text == """
                 v=1; a=rsa-sha256; c=relaxed/simple; d=example.com; s=mail;
                \th=From:To:Subject:Date;
                \tb=\(String(repeating: "A", count: 68))
                \t\(String(repeating: "A", count: 32))
                """)
    }

    @Test func longPiecesStandAlone() {
        var value = FoldedValue(for: "X")
        let long = String(repeating: "a", count: 200)
        for piece in ["one", long, "two"] { value.append(piece) }
        #expect(value.text == " one\n\t\(long)\n\ttwo")
        var first = FoldedValue(for: "X")
        first.append(long)
        first.appendOnNewLine("x")
        #expect(first.text == " \(long)\n\tx")
    }

    @Test func controlsCannotBreakOut() {
        var value = FoldedValue(for: "X")
        value.append("a\r\nBcc: b\0c\td")
        #expect(value.text == " a??Bcc: b?c?d")
    }

    /// Whatever is written: lines keep their limits, none is empty, and unfolding gives the text back.
    @Test func properties() {
        for round in 0..<3_000 {
            let width = [20, 40, 78, 998][round % 4]
            var value = FoldedValue(for: "Authentication-Results", width: width)
            var expected = ""
            var longest = 0
            for _ in 0..<Int.random(in: 1..<30) {
                let length = Int.random(in: 0..<100) == 0 ? 2_500 : Int.random(in: 0..<60)
                let piece = String((0..<length).compactMap { _ in "abc=;\"é€".randomElement() })
                switch Int.random(in: 0..<4) {
                case 0:
                    value.appendBreakable(String(repeating: "Q", count: length))
                    expected += String(repeating: "Q", count: length)
                case 1:
                    value.appendOnNewLine(piece)
                    expected += piece
                    longest = max(longest, piece.utf8.count)
                default:
                    value.append(piece)
                    expected += piece
                    longest = max(longest, piece.utf8.count)
                }
            }
            let lines = ("Authentication-Results:" + value.text).split(
                separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.allSatisfy { $0.utf8.count <= FoldedValue.hardLimit })
            #expect(lines.allSatisfy { line in line.contains { $0 != " " && $0 != "\t" } })
            #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("\t") && !$0.hasPrefix("\t ") })
            for line in lines.dropFirst() where line.utf8.count + 7 > width {
                #expect(line.utf8.count - 1 <= max(longest + width, width), "no room for one more")
            }
            #expect(value.text.filter { $0 != " " && $0 != "\n" && $0 != "\t" } == expected)
            #expect(String(validating: value.bytes, as: UTF8.self) != nil)
        }
    }

    @Test func spacesNeverMakeAnEmptyLine() {
        for count in [1, 77, 78, 990, 998, 3_000] {
            var value = FoldedValue(for: "X")
            value.append("a")
            value.append(String(repeating: " ", count: count))
            value.append("b")
            let lines = value.text.split(separator: "\n", omittingEmptySubsequences: false)
            #expect(lines.allSatisfy { line in line.contains { $0 != " " && $0 != "\t" } })
            #expect(lines.allSatisfy { $0.utf8.count <= FoldedValue.hardLimit })
        }
    }
}
