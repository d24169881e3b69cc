import MailDNS
import MailSyntax
import TestKit
import Testing
import Threads

/// A question to a zone, and the answer in one line.
struct ZoneCase: CustomTestStringConvertible, Sendable {
    let question: String
    let answer: String

    init(_ question: String, _ answer: String) {
        self.question = question
        self.answer = answer
    }

    var testDescription: String { question }
}

@Suite struct ZoneFileTests {
    private static let zone = #"""
        ; A zone with every form of line that the standard has.
        $ORIGIN example.com.
        $TTL 1h30m
        @       3600 IN SOA  ns hostmaster ( 2024010101 ; serial
                             3600 600
                             86400 300 )    ; the parentheses end here
                IN NS   ns
                IN 300 MX   10 mail
                300 IN MX   20 mail.example.net.
                TXT  "v=spf1 mx -all"
                TXT  ( "v=verify; semicolon"
                       " and more" )
        ns      A    192.0.2.1
        mail    A    192.0.2.2
        mail    A    192.0.2.3
        mail    A    192.0.2.2
        MAIL    AAAA 2001:db8::2
        www     CNAME web
        web     CNAME host.sub.deep.example.com.
        host.sub.deep  A 192.0.2.4
        gone    CNAME nothing.example.org.
        loop-a  CNAME loop-b
        loop-b  CNAME loop-a
        escapes TXT  a\"b "c\\d" \101\059 "" plain
        null    MX   0 .
        *.wild  TXT  "any"
        below.wild  A 192.0.2.5
        srv     SRV  0 5 5060 sip
        1.2.0.192.in-addr.arpa. PTR mail.example.com.
        $ORIGIN example.org.
        relative.by.origin 60 A 192.0.2.9
        @ TXT last
        """#

    static let cases = [
        ZoneCase("example.com MX", "mx 10 mail.example.com, mx 20 mail.example.net"),
        ZoneCase("EXAMPLE.com. NS", "name ns.example.com"),
        ZoneCase(
            "example.com TXT", "text [v=spf1 mx -all], text [v=verify; semicolon| and more]"),
        ZoneCase("mail.example.com A", "192.0.2.2, 192.0.2.3"),
        ZoneCase("mail.example.com AAAA", "2001:db8::2"),
        ZoneCase("mail.example.com TXT", "NODATA"),
        ZoneCase("www.example.com A", "192.0.2.4"),
        ZoneCase("www.example.com CNAME", "name web.example.com"),
        ZoneCase("www.example.com MX", "NODATA"),
        ZoneCase("gone.example.com A", "NXDOMAIN"),
        ZoneCase("loop-a.example.com A", "SERVFAIL"),
        ZoneCase("sub.deep.example.com A", "NODATA"),
        ZoneCase("com A", "NODATA"),
        ZoneCase("net A", "NXDOMAIN"),
        ZoneCase("absent.example.com A", "NXDOMAIN"),
        ZoneCase("escapes.example.com TXT", #"text [a"b|c\d|e;||plain]"#),
        ZoneCase("null.example.com MX", "mx 0 ."),
        ZoneCase("x.wild.example.com TXT", "text [any]"),
        ZoneCase("x.y.wild.example.com TXT", "text [any]"),
        ZoneCase("x.wild.example.com A", "NODATA"),
        ZoneCase("wild.example.com TXT", "NODATA"),
        ZoneCase("below.wild.example.com TXT", "NODATA"),
        ZoneCase("x.below.wild.example.com TXT", "NXDOMAIN"),
        ZoneCase("srv.example.com A", "NODATA"),
        ZoneCase("1.2.0.192.in-addr.arpa PTR", "name mail.example.com"),
        ZoneCase("relative.by.origin.example.org A", "192.0.2.9"),
        ZoneCase("example.org TXT", "text [last]"),
    ]

    @Test(arguments: cases)
    func answers(_ zoneCase: ZoneCase) throws {
        let zone = try ZoneResolver(parsing: Self.zone)
        let answer = zone.resolve(
            try .test(zoneCase.question), deadline: MonotonicTime.now() + 1)
        #expect(answer.line == zoneCase.answer)
    }

    /// A zone file with a mistake, and what is said of it.
    static let mistakes = [
        (
            "a.example. A 192.0.2.1\nb.example. A 192.0.2.256",
            "line 2: the data is not that of a record of type A"
        ),
        ("a.example. AAAA 192.0.2.1", "line 1: the data is not that of a record of type AAAA"),
        ("a.example. MX mail", "line 1: the data is not that of a record of type MX"),
        ("a.example. MX 65536 mail", "line 1: the data is not that of a record of type MX"),
        ("a.example. TXT", "line 1: the data is not that of a record of type TXT"),
        (" A 192.0.2.1", "line 1: the first record has no name"),
        ("\n\na.example. IN 300", "line 3: the record has no type"),
        ("a.example. TEXT x", "line 1: 'TEXT' is not a record type"),
        ("a.example. CH TXT x", "line 1: class CH is not supported"),
        ("$INCLUDE other.zone", "line 1: directive $INCLUDE is not supported"),
        ("$TTL soon", "line 1: directive $TTL is not supported"),
        ("a.example. TXT \"open\n", "line 1: a quoted string does not end"),
        ("a.example. TXT ( a\nb", "line 1: parentheses do not match"),
        ("a.example. TXT a )", "line 1: parentheses do not match"),
        (
            "a.example. TXT \\256",
            "line 1: a backslash needs a character or three digits up to 255 after it"
        ),
        (
            "a.example. TXT \\",
            "line 1: a backslash needs a character or three digits up to 255 after it"
        ),
        ("a..example. A 192.0.2.1", "line 1: 'a..example.' is not a domain name"),
        ("a\\.b.example. A 192.0.2.1", "line 1: 'a.b.example.' is not a domain name"),
        (
            "a.example. CNAME b\na.example. A 192.0.2.1",
            "line 2: a.example has a CNAME record and others"
        ),
        (
            "a.example. CNAME b\na.example. CNAME c",
            "line 2: a.example has a CNAME record and others"
        ),
        (
            "a.example. TXT \(String(repeating: "x", count: 256))",
            "line 1: a character string is longer than 255 octets; split it"
        ),
    ]

    @Test(arguments: mistakes)
    func mistake(_ text: String, _ message: String) {
        let error = #expect(throws: ZoneError.self) { try ZoneResolver(parsing: text) }
        #expect(error?.description == message)
    }

    @Test func scriptedFailures() throws {
        var zone = try ZoneResolver(parsing: "a.example. A 192.0.2.1", status: .secure)
        zone.fail(try DomainName("a.example"), .mx, with: .timeout)
        zone.fail(try DomainName("b.example"), with: .bogus(reason: "signature expired"))
        #expect(
            zone.answer(to: try .test("a.example A"))
                == .records([.address(.v4(0xc000_0201))], .secure))
        #expect(zone.answer(to: try .test("a.example MX")) == .failure(.timeout))
        #expect(
            zone.answer(to: try .test("b.example TXT"))
                == .failure(.bogus(reason: "signature expired")))
        #expect(zone.answer(to: try .test("c.example A")) == .nameError(.secure))
    }

    /// Line ends of every kind, and octets of every kind, are read or refused; nothing traps.
    @Test func hostileText() {
        var generator = SeededGenerator(seed: 1001)
        let alphabet = Array("a.\\\"();@$ \t\r\n*09A IN TXT MX é")
        for _ in 0..<2000 {
            let count = Int.random(in: 0...60, using: &generator)
            let text = String(
                (0..<count).map { _ in alphabet.randomElement(using: &generator) ?? "a" })
            _ = try? ZoneResolver(parsing: text)
        }
    }

    @Test func windowsLineEnds() throws {
        let zone = try ZoneResolver(parsing: "a.example. TXT \"x\"\r\nb.example. TXT y\r\n")
        #expect(zone.answer(to: try .test("b.example TXT")).line == "text [y]")
    }
}
