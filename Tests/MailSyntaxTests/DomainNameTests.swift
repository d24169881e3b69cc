import MailSyntax
import TestKit
import Testing

@Suite struct DomainNameTests {
    /// Text, its form in the DNS, its form for display.
    static let names = [
        ("Example.COM", "example.com", "example.com"),
        ("example.com.", "example.com", "example.com"),
        ("_dmarc.Example.com", "_dmarc.example.com", "_dmarc.example.com"),
        ("a", "a", "a"),
        ("bücher.example", "xn--bcher-kva.example", "bücher.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example", "bücher.example"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example", "bücher.example"),
        ("XN--BCHER-KVA.example", "xn--bcher-kva.example", "bücher.example"),
        ("faß.example", "xn--fa-hia.example", "faß.example"),
        ("ΒΌΛΟΣ.example", "xn--nxasmq6b.example", "βόλοσ.example"),
        ("βόλος.example", "xn--nxasmm1c.example", "βόλος.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah", "例え.テスト"),
        ("نامه\u{200C}ای.com", "xn--mgba3gch31f060k.com", "نامه\u{200C}ای.com"),
        ("क्\u{200D}ष.example", "xn--11b2ezcw70k.example", "क्\u{200D}ष.example"),
        ("l·l.example", "xn--ll-0ea.example", "l·l.example"),
        ("user+tag._spf.example.com", "user+tag._spf.example.com", "user+tag._spf.example.com"),
        // An "xn--" label that is no A-label is a DNS name all the same, and shown as it is.
        ("xn--a.example", "xn--a.example", "xn--a.example"),
        ("xn--bcher-KVB.example", "xn--bcher-kvb.example", nil),
    ]

    @Test(arguments: names)
    func reads(text: String, ascii: String, unicode: String?) throws {
        let name = try DomainName(text)
        #expect(name.ascii == ascii)
        if let unicode {
            #expect(Array(name.unicode.unicodeScalars) == Array(unicode.unicodeScalars))
        }
        #expect(try DomainName(bytes: Array(text.utf8)) == name)
        #expect(try DomainName(name.unicode) == name)
        #expect(try DomainName(name.ascii) == name)
    }

    static let errors: [(String, DomainNameError)] = [
        ("", .empty), ("..", .emptyLabel), (".a", .emptyLabel), ("a..b", .emptyLabel),
        ("a..", .emptyLabel), ("a b", .forbiddenOctet(0x20)), ("a\0b", .forbiddenOctet(0)),
        ("a\tb.é", .forbiddenOctet(9)), ("a\u{7F}", .forbiddenOctet(0x7F)),
        (String(repeating: "a", count: 64) + ".b", .labelTooLong),
        (String(repeating: "a.", count: 127) + "b", .nameTooLong),
        (String(repeating: "a.", count: 1_000_000), .nameTooLong),
        (".é", .emptyLabel), ("é..b", .emptyLabel),
        // IDNA2008: symbols, full-width letters, a mark first, hyphens, joiners out of place, controls.
        ("☃.example", .notIDN), ("ａ.example", .notIDN), ("\u{301}a.example", .notIDN),
        ("ab--é.example", .notIDN), ("-é.example", .notIDN), ("é-.example", .notIDN),
        ("a\u{200D}é.example", .notIDN), ("é\u{200C}é.example", .notIDN),
        ("é\u{202E}.example", .notIDN), ("é\u{85}", .notIDN),
        ("\u{212A}.example", .notIDN), ("例え。テスト", .notIDN), ("é_.example", .notIDN),
        ("\u{378}.example", .notIDN), (String(repeating: "é", count: 64), .notIDN),
        (String(repeating: "長", count: 60) + "短", .notIDN),
        ("\u{5D0}\u{1F}.a", .notIDN),
    ]

    @Test(arguments: errors)
    func refuses(text: String, error: DomainNameError) {
        #expect(throws: error) { try DomainName(text) }
    }

    @Test func lengthsAtTheLimitAreFine() throws {
        let label = String(repeating: "a", count: 63)
        let name = [label, label, label, String(repeating: "a", count: 61)].joined(separator: ".")
        #expect(try DomainName(name).ascii.utf8.count == 253)
        #expect(throws: DomainNameError.nameTooLong) { try DomainName(name + "a") }
        #expect(try DomainName(name + ".").ascii == name)
    }

    @Test func bytesMustBeUTF8() {
        #expect(throws: DomainNameError.notUTF8) { try DomainName(bytes: [0x61, 0xFF]) }
        #expect(throws: DomainNameError.notUTF8) { try DomainName(bytes: [0xC0, 0xAE]) }
        #expect(throws: DomainNameError.nameTooLong) {
            try DomainName(bytes: repeatElement(0x61, count: 10_000_000))
        }
    }

    @Test func theTreeIsWalked() throws {
        let name = try DomainName("a.b.Example.com")
        #expect(name.labelCount == 4)
        #expect(name.labels == ["a", "b", "example", "com"])
        #expect(try name.parent == DomainName("b.example.com"))
        #expect(try name.suffix(labels: 2) == DomainName("example.com"))
        #expect(name.suffix(labels: 4) == name)
        #expect(name.suffix(labels: 9) == name)
        #expect(name.suffix(labels: 0) == .root)
        #expect(try DomainName("com").parent == .root)
        #expect(DomainName.root.parent == nil)
        #expect(DomainName.root.labelCount == 0)
        #expect(DomainName.root.labels.isEmpty)
        #expect(try DomainName(".") == .root)
        #expect(DomainName.root.description == ".")
    }

    @Test func subdomainsEndAtALabel() throws {
        let parent = try DomainName("example.com")
        #expect(try DomainName("a.example.com").isSubdomain(of: parent))
        #expect(try !DomainName("aexample.com").isSubdomain(of: parent))
        #expect(!parent.isSubdomain(of: parent))
        #expect(parent.isEqualOrSubdomain(of: parent))
        #expect(try !DomainName("com").isEqualOrSubdomain(of: parent))
        #expect(parent.isSubdomain(of: .root))
        #expect(DomainName.root.isEqualOrSubdomain(of: .root))
        #expect(!DomainName.root.isSubdomain(of: .root))
    }

    @Test func labelsArePrepended() throws {
        let domain = try DomainName("example.com")
        #expect(try domain.prepending("S1._domainkey").ascii == "s1._domainkey.example.com")
        #expect(try DomainName.root.prepending("com").ascii == "com")
        #expect(throws: DomainNameError.emptyLabel) { try domain.prepending("a.") }
        #expect(throws: DomainNameError.empty) { try domain.prepending("") }
        #expect(throws: DomainNameError.nameTooLong) {
            try domain.prepending(String(repeating: "a.", count: 125) + "a")
        }
    }

    @Test(arguments: [
        ("example.com", true), ("a-b.c1", true), ("192.0.2.1", true), ("_a.b", false),
        ("-a.b", false),
        ("a-.b", false), ("a.b-", false), ("a+b.c", false), ("xn--bcher-kva", true),
    ])
    func hostNames(text: String, isHostName: Bool) throws {
        #expect(try DomainName(text).isHostName == isHostName)
    }

    @Test(arguments: [
        ("example.com", true), ("xn--bcher-kva.example", true), ("xn--a.example", false),
        ("xn--.example", false), ("xn--bcher.example", false), ("a.xn--k-", false),
        // A snowman, a capital, an uncomposed letter: each decodes, none is what a U-label encodes to.
        ("xn--bucher-xyd.example", false),
        ("xn--n3h.example", false), ("xn--bcher-2pa.example", false),
        ("xn--99999999.example", false),
    ])
    func validIDNs(text: String, isValid: Bool) throws {
        #expect(try DomainName(text).isValidIDN == isValid)
    }

    @Test func noiseNeverTrapsAndAlwaysRoundTrips() {
        var noise = SeededGenerator(seed: 5891)
        let octets = Array("aZ0-_.. xn--é例\u{301}\u{200D}İ\u{1F1}".utf8) + [0xFF]
        for _ in 0..<20_000 {
            guard let name = try? DomainName(bytes: noise.bytes(upTo: 40, from: octets)) else {
                continue
            }
            #expect((try? DomainName(name.ascii)) == name || name == .root)
            #expect((try? DomainName(name.unicode)) == name || name == .root)
            #expect(name.labels.joined(separator: ".") == name.ascii)
        }
    }
}
