import MailSyntax
import TestKit
import Testing

@Suite struct TagListTests {
    /// A list and its tags, as names and values.
    static let lists: [(String, [[String]])] = [
        ("v=1", [["v", "1"]]),
        ("v=1;", [["v", "1"]]),
        ("v=1; ", [["v", "1"]]),
        (" v = 1 ; a_1=b\t;c= ;", [["v", "1"], ["a_1", "b"], ["c", ""]]),
        (
            "v=1;\r\n\ta=rsa-sha256;\r\n b=ab\r\n cd\r\n",
            [["v", "1"], ["a", "rsa-sha256"], ["b", "ab\r\n cd"]]
        ),
        ("a=b=c;d==", [["a", "b=c"], ["d", "="]]),
        ("n=a  note;k=:", [["n", "a  note"], ["k", ":"]]),
        ("a=;b=", [["a", ""], ["b", ""]]),
        ("A=1;a=2", [["A", "1"], ["a", "2"]]),
        ("i=jürgen@é.example", [["i", "jürgen@é.example"]]),
        ("v=1;\r\n \r\n a=2", [["v", "1"], ["a", "2"]]),
    ]

    @Test(arguments: lists)
    func reads(text: String, expected: [[String]]) throws {
        let list = try TagList(parsing: text)
        let found = list.tags.map {
            [
                String(decoding: list.bytes[$0.name], as: UTF8.self),
                String(decoding: list.bytes[$0.value], as: UTF8.self),
            ]
        }
        #expect(found == expected)
        for pair in expected { #expect(list.text(pair[0]) == pair[1]) }
        #expect(list["nothing"] == nil)
        #expect(try TagList(parsing: text, strictness: .allowingEmptyTags).tags == list.tags)
    }

    static let errors: [(String, TagListError)] = [
        ("", .empty), ("  \r\n ", .empty),
        (";", .emptyTag(offset: 0)), ("v=1;;", .emptyTag(offset: 4)),
        ("v=1; ;a=2", .emptyTag(offset: 5)),
        ("=1", .invalidName(offset: 0)), ("1=1", .invalidName(offset: 0)),
        ("_a=1", .invalidName(offset: 0)),
        ("a-b=1", .invalidName(offset: 1)), ("a b=1", .invalidName(offset: 2)),
        ("é=1", .invalidName(offset: 0)),
        ("a", .missingEqualsSign(offset: 0)), ("a;b=1", .missingEqualsSign(offset: 0)),
        ("v=1;a ", .missingEqualsSign(offset: 4)),
        ("a=\0", .invalidValue(offset: 2)), ("a=b\u{7F}", .invalidValue(offset: 3)),
        ("a=b\r\nc", .invalidValue(offset: 3)), ("a=b\rc", .invalidValue(offset: 3)),
        ("a=b\r", .invalidValue(offset: 3)), ("\r\na=b", .invalidValue(offset: 0)),
        ("a=1;b=2;a=3", .duplicate(name: "a")), ("a=;a=", .duplicate(name: "a")),
    ]

    @Test(arguments: errors)
    func refuses(text: String, error: TagListError) {
        #expect(throws: error) { try TagList(parsing: text) }
    }

    @Test func emptyTagsAreAllowedWhereAsked() throws {
        let list = try TagList(parsing: "v=DMARC1;; p=none ; ;;", strictness: .allowingEmptyTags)
        #expect(list.tags.count == 2)
        #expect(list.text("p") == "none")
        #expect(throws: TagListError.empty) {
            try TagList(parsing: " ; ;", strictness: .allowingEmptyTags)
        }
        #expect(throws: TagListError.duplicate(name: "p")) {
            try TagList(parsing: "p=none;;p=none", strictness: .allowingEmptyTags)
        }
    }

    @Test func positionsAreThoseOfTheWholeArray() throws {
        let field = Array("DKIM-Signature: v=1; b= ab\r\n cd ; d=example.com\r\n".utf8)
        let list = try TagList(parsing: field[15...])
        let b = try #require(list.tag("b"))
        #expect(Array(field[b.value]) == Array("ab\r\n cd".utf8))
        // RFC 6376, section 3.7: the value of b= goes, with all white space around it.
        var blanked = field
        blanked.removeSubrange(b.spacedValue)
        #expect(blanked == Array("DKIM-Signature: v=1; b=; d=example.com\r\n".utf8))
        // Offsets of errors count from the list's own start.
        #expect(throws: TagListError.invalidName(offset: 0)) { try TagList(parsing: field[14...]) }
    }

    @Test func listsAndBase64() throws {
        let list = try TagList(parsing: "h= From : to:\r\n subject ; b=Zm\r\n 9v; x=*; e=")
        #expect(
            list.list("h")?.map { String(decoding: $0, as: UTF8.self) } == [
                "From", "to", "subject",
            ])
        #expect(list.list("e")?.count == 1)
        #expect(list.list("z") == nil)
        #expect(list.base64("b") == Array("foo".utf8))
        #expect(list.base64("x") == nil)
    }

    @Test(.timeLimit(.minutes(5))) func manyTagsCostLinearTime() throws {
        let text = (0..<50_000).map { "t\($0)=v" }.joined(separator: ";")
        #expect(try TagList(parsing: text).tags.count == 50_000)
        #expect(throws: TagListError.duplicate(name: "t7")) { try TagList(parsing: text + ";t7=x") }
        #expect(throws: TagListError.self) {
            try TagList(parsing: String(repeating: " ", count: 4 << 20))
        }
    }

    @Test func noiseNeverTrapsAndTagsLieInOrder() {
        var noise = SeededGenerator(seed: 6376)
        for _ in 0..<50_000 {
            let bytes = noise.bytes(upTo: 20, from: Array("ab1_=;; \t\r\n:".utf8) + [0xC3, 0])
            guard let list = try? TagList(parsing: bytes) else { continue }
            var position = 0
            for tag in list.tags {
                #expect(
                    position <= tag.name.lowerBound
                        && tag.name.upperBound < tag.spacedValue.lowerBound)
                #expect(tag.spacedValue.clamped(to: tag.value) == tag.value)
                position = tag.spacedValue.upperBound
            }
            #expect(position <= bytes.count)
        }
    }
}
