import MailAuth
import MailSyntax
import Testing

private func claims(_ value: String, _ id: String = "mx.example.com") -> Bool {
    AuthenticationResults.claims(Array(value.utf8).span, AuthservID(id))
}

@Suite struct AuthservIDTests {
    /// Fields that some reader would take for ours, if ours is `mx.example.com`.
    @Test(arguments: [
        " mx.example.com; dkim=pass", "mx.example.com", " MX.Example.COM ; none",
        "\n\tmx.example.com;",
        " mx.example.com 1; spf=pass", " mx.example.com 99; spf=pass",
        " \"mx.example.com\"; spf=pass",
        " \"m\\x.example.com\" 1;", " (we) (say (so)) mx.example.com (1) 1;",
        " (a\\)b) mx.example.com;",
        " mx.example.com(x);", " mx.example.com.; spf=pass", " mx.example.com/1234; spf=pass",
        " \"mx.example.com/1234\"; spf=pass", " mx.(x)example.com; spf=pass",
        " mx . example . com;",
        " mx.\"example\".com; spf=pass", " \"mx\".example.com;", " m\\x.example.com;",
        // Nobody can parse these.
        ";mx.example.com; spf=pass", ",<mx.example.com>; spf=pass", " mx.example.com, spf=pass",
        " mx.example.com = x", " mx.example.com\" ; spf=pass",
        " mx.example.com (never ends; spf=pass",
        " (mx.example.com; spf=pass", " \"mx.example.com; spf=pass",
        " ((x) mx.example.com; spf=pass",
        " \" (mx.example.com; spf=pass", " \" mx.example.com \"; spf=pass",
        " mx.example.com\u{1}; spf=pass",
        " mx.exam\u{AD}ple.com; spf=pass", "\u{FEFF}mx.example.com;",
        "\u{A0}mx.example.com; spf=pass",
        " =?utf-8?Q?mx.example.com?=; spf=pass", " mx.example.com spf=pass",
        " mx.example.com junk; spf=pass",
        " mx.example.com@x; spf=pass",
        // To readers who normalize (NFKC), these letters and dots are those of ASCII.
        " ｍｘ.example.com; spf=pass", " mx．example．com; spf=pass",
        " \u{1D426}x.example.com; spf=pass", " mx.example.com／1; spf=pass",
        " Ｍx.example.com 1; spf=pass", " \u{217F}\u{2179}.example.com; spf=pass",
        " \u{212A}iste.example.com; spf=pass",
        // To readers of internationalized names these are dots, too (UTS 46, section 4).
        " mx。example。com; spf=pass", " mx.example｡com; spf=pass",
        // And some take away all the dots at the ends.
        " mx.example.com..; spf=pass", " .mx.example.com; spf=pass",
        " \"mx.example.com...\" 1; spf=pass",
    ])
    func ours(_ value: String) {
        #expect(claims(value))
    }

    @Test(arguments: [
        "", ";", " ;;;", "(", "\"", " example.com; spf=pass",
        " mx.example.com.evil.example; spf=pass",
        " amx.example.com; spf=pass", " mx2.example.com; spf=pass",
        " mx.example.net; x=mx.example.com",
        " (mx.example.com) mx.example.net; spf=pass", " mx.example.net (mx.example.com); spf=pass",
        " other.example; mx.example.com=pass", " other.example mx.example.com; spf=pass",
        " spf=pass smtp.mailfrom=mx.example.com", " other.example/mx.example.com; spf=pass",
        " bücher.example; spf=pass", " mx-example.com", " mxexample.com",
        " straße.example; spf=pass", " Große Post; spf=pass", " ÄRGER & Söhne; spf=pass",
        " мх.example.com; spf=pass", " mx..example.com; spf=pass", " ..; spf=pass",
        " другой.example; spf=pass", " メール.example; spf=pass",
    ])
    func others(_ value: String) {
        #expect(!claims(value))
    }

    @Test func internationalIdentifiers() {
        #expect(AuthservID("bücher.example") == AuthservID("XN--BCHER-KVA.example"))
        #expect(claims(" bücher.example; spf=pass", "xn--bcher-kva.example"))
        #expect(claims(" BÜCHER.example; spf=pass", "xn--bcher-kva.example"))
        #expect(claims(" xn--bcher-kva.example; spf=pass", "bücher.example"))
        #expect(claims(" \"bücher\" . example; spf=pass", "bücher.example"))
        #expect(claims(" bu\u{308}cher.example; spf=pass", "bücher.example"))
        #expect(claims(" Kiste & Co; spf=pass", "kiste & co"))
        #expect(!claims(" bucher.example; spf=pass", "bücher.example"))
    }

    @Test func jobIdentifiers() {
        let id = AuthservID("mx.example.com").with(jobID: "4ABC")
        #expect(claims(" \"mx.example.com/4abc\"; none", id.text))
        #expect(claims(" mx.example.com/4ABC; none", id.text))
        #expect(!claims(" mx.example.com/4ABD; none", id.text))
        #expect(claims(" mx.example.com/4ABD; none"))
    }

    @Test func nobodyClaimsTheEmptyIdentifier() {
        #expect(!claims(" ; spf=pass", ""))
        #expect(!claims(" mx.example.com; spf=pass", ""))
    }

    @Test func deletionsComeFromTheBottom() {
        var header = HeaderSection()
        for (name, value) in [
            ("Authentication-Results", " mx.example.com; spf=pass"),
            ("From", " a@b.example"),
            ("authentication-RESULTS", " other.example; spf=pass"),
            ("ARC-Authentication-Results", " i=1; mx.example.com; spf=pass"),
            ("Authentication-Results", " (x)\n\t\"MX.example.com\" 1; spf=pass"),
            ("Authentication-Results", " other.example 2; spf=pass"),
            ("Authentication-Results", " other.example 1; spf=pass"),
            ("Authentication-Results", " second.example 1; spf=pass"),
        ] {
            header.append(name: name, value: value)
        }
        func occurrences(_ ids: [String], _ unknownVersions: Bool = true) -> [Int] {
            let deletions = AuthenticationResults.deletions(
                in: header, claiming: ids.map(AuthservID.init), andUnknownVersions: unknownVersions)
            #expect(deletions.allSatisfy { $0.name == .authenticationResults })
            return deletions.map(\.occurrence)
        }
        #expect(occurrences(["mx.example.com"]) == [4, 3, 1])
        #expect(occurrences(["mx.example.com"], false) == [3, 1])
        #expect(occurrences(["mx.example.com", "second.example"], false) == [6, 3, 1])
        #expect(occurrences([]) == [4])
    }

    /// Text outside ASCII is costly to compare: beyond what all honest services of a message write, a field is a claim, and a
    /// megabyte of them is refused for the number of edits.
    @Test func aFloodOfInternationalNames() {
        func deletions(_ value: String, times: Int) -> Int {
            var header = HeaderSection(limits: .greatest)
            for _ in 0..<times { header.append(name: "Authentication-Results", value: value) }
            return AuthenticationResults.deletions(
                in: header, claiming: [AuthservID("mx.example.com")]
            ).count
        }
        let words = String(repeating: " 漢.漢", count: 15)
        #expect(deletions(" メール.example; spf=pass", times: 1_000) == 0)
        #expect(deletions(words, times: 100) == 0)
        #expect(100..<2_000 ~= deletions(words, times: 2_000))
        // Names that mapping changes are looked at as names (U+F900 composes to U+8C48).
        #expect(deletions(" \u{F900}.example; spf=pass", times: 50) == 0)
        #expect(100..<1_000 ~= deletions(" \u{F900}.example; spf=pass", times: 1_000))
    }

    private static let awkward = [
        "(", "()", "\"", "\"a\"", "m", ";", "\\", "a=b;", "é", "é ", "x ", "=", "/", "((a)",
    ]

    /// 10,000 fields of 1 KB, of every awkward kind, and one of 1 MB.
    @Test(.timeLimit(.minutes(5))) func linearTime() {
        var header = HeaderSection(limits: .greatest)
        for number in 0..<10_000 {
            let unit = Self.awkward[number % Self.awkward.count]
            let value = String(repeating: unit, count: 1_024 / unit.utf8.count)
            header.append(name: "Authentication-Results", value: value)
        }
        header.append(
            name: "Authentication-Results", value: String(repeating: "x ", count: 500_000))
        let deletions = AuthenticationResults.deletions(
            in: header, claiming: [AuthservID("mx.example.com")])
        #expect(deletions.count <= header.count)
    }

    @Test(.timeLimit(.minutes(5)), arguments: awkward)
    func linearTimeOfOneField(_ unit: String) {
        let value = Array(String(repeating: unit, count: 1_000_000 / unit.utf8.count).utf8)
        let ours = AuthservID("mx.example.com")
        #expect(AuthenticationResults(parsing: value.span).authservID != ours)
        // What cannot be read may be taken for a claim, but always alike.
        let claims = AuthenticationResults.claims(value.span, ours)
        let again = AuthenticationResults.claims(value.span, ours)
        #expect(claims == again)
    }
}
