import MailSyntax
import TestKit
import Testing

/// A From field's value and what must be read from it: one line a postmaster can add.
private struct Row: CustomTestStringConvertible, Sendable {
    let value: String
    let expected: Outcome
    let source: String

    enum Outcome: Equatable, Sendable {
        case authors([String])
        case nobody(AuthorField.NoAuthorReason)
        case sloppy([String], AuthorFieldError, doubtful: [String])
        case malformed(AuthorFieldError)
    }

    init(_ value: String, _ addresses: [String], _ source: String = "") {
        (self.value, expected, self.source) = (value, .authors(addresses), source)
    }

    init(_ value: String, _ error: AuthorFieldError, _ source: String = "") {
        (self.value, expected, self.source) = (value, .malformed(error), source)
    }

    init(
        _ value: String, _ error: AuthorFieldError, finds addresses: [String],
        _ source: String = "",
        doubtful: [String] = []
    ) {
        (self.value, self.source) = (value, source)
        expected = .sloppy(addresses, error, doubtful: doubtful)
    }

    init(_ value: String, _ reason: AuthorField.NoAuthorReason, _ source: String = "") {
        (self.value, expected, self.source) = (value, .nobody(reason), source)
    }

    var testDescription: String { "\(source) \(value.debugDescription)" }
}

private func parse(_ value: String, _ limits: AuthorField.Limits = .init()) -> AuthorField {
    AuthorField(parsing: Array(value.utf8).span, limits: limits)
}

private func outcome(_ field: AuthorField) -> Row.Outcome {
    switch field {
    case .authors(let mailboxes): .authors(mailboxes.map(\.address))
    case .nobody(let reason): .nobody(reason)
    case .sloppy(let mailboxes, let error):
        .sloppy(
            mailboxes.filter { !$0.isDoubtful }.map(\.address), error,
            doubtful: mailboxes.filter(\.isDoubtful).map(\.address))
    case .malformed(let error): .malformed(error)
    }
}

@Suite struct AuthorFieldTests {
    private static let wellFormed: [Row] = [
        Row(" John Doe <jdoe@machine.example>", ["jdoe@machine.example"], "RFC 5322 A.1.1"),
        Row(
            " \"Joe Q. Public\" <john.q.public@example.com>", ["john.q.public@example.com"], "A.1.2"
        ),
        Row(
            " Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            ["pete@silly.test"], "A.5"),
        Row(" Joe Q. Public <john.q.public@example.com>", ["john.q.public@example.com"], "A.6.1"),
        Row(" John Doe <jdoe@machine(comment).  example>", ["jdoe@machine.example"], "A.6.3"),
        Row(" Mary Smith\r\n  \r\n          <mary@example.net>", ["mary@example.net"], "A.6.3"),
        Row("a@example.com", ["a@example.com"]),
        Row(" <a@example.com>", ["a@example.com"]),
        Row(" a . b @ example.com", ["a.b@example.com"], "obs-local-part"),
        Row(" \"a\" . b@example.com", ["a.b@example.com"], "obs-local-part"),
        Row(" A@EXAMPLE.Com", ["A@example.com"]),
        Row(" a@example.com, B <b@Example.COM>", ["a@example.com", "b@example.com"]),
        Row("\n \"x\n\t y\" <a@example.com>", ["a@example.com"], "folds as milters have them"),
        Row(" \"a@bank.example\" <b@evil.example>", ["b@evil.example"], "address as display name"),
        Row(" \"<a@bank.example>,\" <b@evil.example>", ["b@evil.example"]),
        Row(" \"a@bank.example\\\" <x@y>\" <b@evil.example>", ["b@evil.example"]),
        Row(" \"a@bank.example\"@evil.example", ["\"a@bank.example\"@evil.example"]),
        Row(" \"a\\\"b\"@example.com", ["\"a\\\"b\"@example.com"]),
        Row(" (a@bank.example) b@evil.example", ["b@evil.example"], "address in a comment"),
        Row(" b@evil.example (a@bank.example)", ["b@evil.example"]),
        Row(" a@bank.example(.evil.example)", ["a@bank.example"]),
        Row(" <a@bank.example(>, <b@evil.example)>", ["a@bank.example"]),
        Row(" ((()())\\() a@example.com", ["a@example.com"]),
        Row(" =?utf-8?B?YUBiYW5rLmV4YW1wbGU=?= <b@evil.example>", ["b@evil.example"]),
        Row(" =?utf-8?Q?=3Ca=40bank.example=3E=2C?= <b@evil.example>", ["b@evil.example"]),
        Row(" Zoë <zoë@example.com>", ["zoë@example.com"], "RFC 6532"),
        Row(" a@bücher.example", ["a@xn--bcher-kva.example"], "RFC 6532, U-label"),
        Row(" a@_x.example", ["a@_x.example"]),
        Row(
            " Team: a@example.com, B <b@example.net>;", ["a@example.com", "b@example.net"],
            "RFC 6854"),
        Row(" a@b.example,", ["a@b.example"], "RFC 5322 4.4, obs-mbox-list"),
        Row(",a@b.example", ["a@b.example"], "RFC 5322 4.4"),
        Row(" a@b.example, (x),c@d.example", ["a@b.example", "c@d.example"], "RFC 5322 4.4"),
        Row(" T:,a@b.example,,;,", ["a@b.example"], "RFC 5322 4.4, obs-group-list"),
        Row(" <@a.example:c@d.example>", ["c@d.example"], "RFC 5322 4.4, obs-route"),
        Row(" J <,@a.example, @b.example :c@d.example>", ["c@d.example"], "RFC 5322 4.4"),
        Row(" <a@bank . example>", ["a@bank.example"], "RFC 5322 4.4, obs-domain"),
        Row(" c@example.org, Team:a@example.com;, Nobody:;", ["c@example.org", "a@example.com"]),
    ]

    private static let nobody: [Row] = [
        Row("", .empty), Row(" \t\r\n ", .empty), Row(" (only a comment)", .empty),
        Row(" undisclosed:;", .emptyGroup, "RFC 6854"), Row(" A:(x);,\"B\" : ;", .emptyGroup),
        Row(" A:,;", .emptyGroup, "RFC 5322 4.4, obs-group-list"),
    ]

    /// What breaks the grammar, and the addresses that readers could find in it.
    private static let sloppy: [Row] = [
        Row(" a@b.example\0@c.example", .nul, finds: ["a@b.example", "b.example@c.example"]),
        Row(" a@www.ba\0nk.example", .nul, finds: ["a@www.ba", "a@www.bank.example"]),
        Row(" \"\\\0\" <a@b.example>", .nul, finds: ["a@b.example"]),
        Row(" a@b.example\r", .bareCR, finds: ["a@b.example"]),
        Row(" a\rb@b.example", .bareCR, finds: ["b@b.example"]),
        Row(" (\r) a@b.example", .bareCR, finds: ["a@b.example"]),
        Row(" a@b.example\n", .bareLF, finds: ["a@b.example"]),
        Row(" a\u{1}@b.example", .controlCharacter, finds: ["a@b.example"]),
        Row(" \"\u{7F}\" <a@b.example>", .controlCharacter, finds: ["a@b.example"]),
        Row(" \"\\\n x\" <a@b.example>", .controlCharacter, finds: ["a@b.example"]),
        Row(
            " \u{1B}$B@n\u{1B}(B <a@b.example>", .controlCharacter, finds: ["a@b.example"],
            "ISO-2022-JP without encoded words"),
        Row(" \"a <a@b.example>", .unbalancedQuote, finds: ["a@b.example"]),
        Row(" a\" <a@b.example>", .unbalancedQuote, finds: ["a@b.example"]),
        Row(
            " \"x <a@b.example>, c@d.example", .unbalancedQuote,
            finds: ["a@b.example", "c@d.example"]),
        Row(" (a <a@b.example>", .unbalancedComment, finds: ["a@b.example"]),
        Row(
            " c@d.example (a <a@b.example>", .unbalancedComment,
            finds: ["c@d.example", "a@b.example"]),
        Row(" a) <a@b.example>", .unbalancedComment, finds: ["a@b.example"]),
        Row(
            String(repeating: "(", count: 40) + "a@b.example", .commentTooDeep,
            finds: ["a@b.example"]),
        Row(" <a@b.example", .unbalancedAngle, finds: ["a@b.example"]),
        Row(" a@b.example>", .unbalancedAngle, finds: ["a@b.example"]),
        Row(" <<a@b.example>>", .unbalancedAngle, finds: ["a@b.example"]),
        Row(" a> <b@c.example>", .missingDomain, finds: ["b@c.example"]),
        Row(" <a@b.example>>", .unbalancedAngle, finds: ["a@b.example"]),
        Row(" a]@b.example", .unbalancedBracket, finds: ["a@b.example"]),
        Row(" B [x] <a@b.example>", .missingDomain, finds: ["a@b.example"]),
        Row(
            " B [c@d.example] <a@b.example>", .missingDomain,
            finds: ["c@d.example", "a@b.example"]),
        Row(" a\\@x@b.example", .strayBackslash, finds: ["x@b.example"]),
        Row(
            " <a@b.example>\\,<c@d.example>", .strayBackslash,
            finds: ["a@b.example", "c@d.example"]),
        Row(" <@a.example,x:c@d.example>", .sourceRoute, finds: ["\"\"@a.example", "c@d.example"]),
        Row(
            " a@bank.example <b@evil.example>", .addressBeforeAngle,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(
            " a@bank.example <a@bank.example>", .addressBeforeAngle, finds: ["a@bank.example"]),
        Row(
            " a@bank.example, x <b@evil.example> y", .textAfterAddress,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(
            " <a@bank.example> <b@evil.example>", .secondAngleAddress,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(
            " a@bank.example b@evil.example", .textAfterAddress,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(
            " \"a@bank.example\" b@evil.example", .unquotedSpace,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(" \"a@bank.example\" <b@evil.example> y", .textAfterAddress, finds: ["b@evil.example"]),
        Row(" \"Boss\" a@b.example", .unquotedSpace, finds: ["a@b.example"]),
        // Python's email.utils and its kin know no white space in a domain.
        Row(
            " <a@bank.example x>", .textAfterAddress,
            finds: ["a@bank.example", "a@bank.examplex"]),
        Row(" a@ba nk.example", .textAfterAddress, finds: ["a@bank.example"]),
        Row(
            " a@bank.example Boss", .textAfterAddress, finds: ["a@bank.example"],
            doubtful: ["a@bank.exampleboss"]),
        Row(
            " a@bank.exa mple", .textAfterAddress, finds: ["a@bank.exa"],
            doubtful: ["a@bank.example"]),
        Row(
            " a@bank. exa mp le (x), b@c.example", .gapInDomain,
            finds: ["a@bank.exa", "b@c.example"], doubtful: ["a@bank.example"]),
        Row(
            " a@bank.example;b@evil.example", .strayGroupMark,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(" A:B:a@b.example;;", .nestedGroup, finds: ["a@b.example"]),
        Row(" A:a@b.example", .unfinishedGroup, finds: ["a@b.example"]),
        Row(" Re: Shop <a@b.example>", .unfinishedGroup, finds: ["a@b.example"]),
        Row(
            " a@bank.example: b@evil.example;", .strayGroupMark,
            finds: ["a@bank.example", "b@evil.example"]),
        Row(" Doe, John <a@b.example>", .missingDomain, finds: ["a@b.example"]),
        Row(" a@b.example <>", .addressBeforeAngle, finds: ["a@b.example"]),
        Row(" Boss @ Work <a@b.example>", .addressBeforeAngle, finds: ["a@b.example"]),
        Row(" @b.example", .missingLocalPart, finds: ["\"\"@b.example"]),
        Row(" John Doe a@b.example", .unquotedSpace, finds: ["a@b.example"]),
        Row(" <a b@c.example>", .unquotedSpace, finds: ["b@c.example"]),
        Row(" a.@b.example", .misplacedDot, finds: ["\"a.\"@b.example"]),
        Row(" a..b@c.example", .misplacedDot, finds: ["\"a..b\"@c.example"]),
        Row(" a@b.example.", .misplacedDot, finds: ["a@b.example"]),
        Row(" a@.b.example", .misplacedDot, finds: ["a@b.example"]),
        Row(" a@b..example", .misplacedDot, finds: ["a@b.example"]),
        Row(
            " a@bank.example@evil.example", .secondAt,
            finds: ["a@bank.example", "bank.example@evil.example"]),
        Row(" a@@b.example", .secondAt, finds: ["\"\"@b.example"]),
        Row(
            " =?utf-8?Q?a@bank.example?= <b@evil.example>", .invalidDomain,
            finds: ["=?utf-8?Q?a@bank.example", "b@evil.example"]),
        Row(" =?utf-8?Q?=C3=A4?=, Inc. <a@b.example>", .missingDomain, finds: ["a@b.example"]),
        Row(" a@\"bank.example\"", .quotedDomain, finds: ["a@bank.example"]),
        Row(" <a@\"b\".example>", .quotedDomain, finds: ["a@b.example"]),
        Row(" a@[192.0.2.1], b@c.example", .domainLiteral, finds: ["b@c.example"]),
        Row(" a@bank . example", .gapInDomain, finds: ["a@bank.example"]),
        Row(
            " a@bank.example .evil.example", .gapInDomain,
            finds: ["a@bank.example", "a@bank.example.evil.example"]),
        Row(
            " a@www.ba(x)nk.example", .textAfterAddress, finds: ["a@www.ba", "a@www.bank.example"]),
        Row(" a@bank.example!.evil.example", .invalidDomain, finds: ["a@bank.example"]),
        Row(" a@bank.example`", .invalidDomain, finds: ["a@bank.example"]),
        Row(
            " a@bank。example", .invalidDomain, finds: ["a@bank.example"], "ideographic full stop"),
    ]

    /// What names nobody, or somebody who cannot be read.
    private static let malformed: [Row] = [
        Row(" a@[192.0.2.1", .unbalancedBracket), Row(" (a\\", .strayBackslash),
        Row(" :;", .strayGroupMark), Row(",", .strayComma), Row(" a", .missingDomain),
        Row(" <a>", .missingDomain), Row(" a@", .missingDomain), Row(" <a@>", .missingDomain),
        Row(" =?utf-8?B?YUBiLmV4YW1wbGU=?=", .missingDomain, "address in an encoded word"),
        Row(" a\u{FF20}bank.example", .missingDomain, "full-width at"),
        Row(
            " =?utf-8?B?PGFAYmFuay5leGFtcGxlPg==?=,<b@evil.example>", .missingDomain,
            "an encoded word that some readers decode first"),
        Row(" =?utf-7?Q?a+AEA-bank.example?=, <b@evil.example>", .missingDomain),
        Row(" =?utf-8?Q?a=40bank?= b@evil.example", .unquotedSpace),
        Row(" a\u{FF20}bank.example, <b@evil.example>", .missingDomain),
        Row(" <>", .emptyAddress), Row(" John <>", .emptyAddress),
        Row(" =?utf-8?Q?=61=40?=@evil.example", .encodedWordInAddress),
        Row(" \"=?utf-8?Q?a=40bank.example=3E?=\"@evil.example", .encodedWordInAddress),
        Row(" a@[192.0.2.1]", .domainLiteral), Row(" <a@[IPv6:::1]>", .domainLiteral),
        Row(" a@ba\u{200B}nk.example", .invalidDomain, "a character that nobody sees"),
        Row(" a@" + String(repeating: "a", count: 64) + ".example", .invalidDomain),
    ]

    @Test(arguments: wellFormed + nobody + sloppy + malformed)
    private func reads(_ row: Row) {
        #expect(outcome(parse(row.value)) == row.expected)
    }

    @Test func everyReasonHasACase() {
        let inTable = (Self.sloppy + Self.malformed).compactMap { row in
            switch row.expected {
            case .malformed(let error), .sloppy(_, let error, _): error
            default: nil
            }
        }
        let elsewhere: Set<AuthorFieldError> = [
            .severalFields, .tooLong, .tooManyMailboxes, .notUTF8,
        ]
        #expect(elsewhere.union(inTable) == Set(AuthorFieldError.allCases))
    }

    @Test func octetsThatAreNotUTF8() {
        /// Reads text as if it were in ISO 8859-1.
        func latin1(_ text: String) -> AuthorField {
            let value = text.unicodeScalars.map { UInt8($0.value) }
            return AuthorField(parsing: value.span)
        }
        // Where they are of no importance, the author is known all the same: or forgers would have them there.
        for value in [
            " J\u{F6}rg <a@b.example>", " \"J\u{F6}rg\" <a@b.example>", " a@b.example (J\u{F6}rg)",
        ] {
            #expect(latin1(value).domains.map(\.ascii) == ["b.example"])
        }
        // Nobody can write to these, and the domain is clear.
        for value in [" j\u{F6}rg@b.example", " <\"j\u{F6}rg\"@b.example>"] {
            #expect(latin1(value).fault == .notUTF8)
            #expect(latin1(value).domains.map(\.ascii) == ["b.example"])
        }
        #expect(latin1(" a@b\u{F6}.example") == .malformed(.invalidDomain))
        // In Shift_JIS the first quoted string ends after one character, and a@b.example is an author.
        let twofold = " \"\u{83}\\\" <a@b.example>, \" <a@evil.example>"
        #expect(latin1(twofold).fault == .notUTF8)
        #expect(Set(latin1(twofold).domains.map(\.ascii)) == ["b.example", "evil.example"])
    }

    @Test func displayNames() {
        let names = [
            " John Q.  Public <a@b.example>": "John Q. Public",
            " \"John \\\"Q\\\"\n  Public\" (x) Jr <a@b.example>": "John \"Q\"  Public Jr",
            " =?utf-8?Q?a?= <a@b.example>": "=?utf-8?Q?a?=",
            " \"\" <a@b.example>": "",
        ]
        for (value, name) in names {
            #expect(parse(value).mailboxes.first?.displayName == Array(name.utf8), "\(value)")
        }
        #expect(parse(" <a@b.example>").mailboxes.first?.displayName == .some(nil))
    }

    @Test func domainsAppearOnce() {
        let field = parse(" a@x.example, b@y.example, c@X.EXAMPLE")
        #expect(field.domains.map(\.ascii) == ["x.example", "y.example"])
    }

    @Test func limits() {
        let three = " a@b.example, a@b.example, a@b.example"
        #expect(parse(three, .init(mailboxes: 2)) == .malformed(.tooManyMailboxes))
        #expect(parse(three, .init(mailboxes: 3)).mailboxes.count == 3)
        #expect(parse(three, .init(octets: 10)) == .malformed(.tooLong))
    }

    /// A Unicode name is costly: of more spellings than honest mail has none is a domain any more.
    @Test func unicodeNames() {
        func list(_ names: [String]) -> String {
            names.map { " a@\($0).example" }.joined(separator: ",")
        }
        #expect(parse(list((0..<500).map { "ü\($0)" })).domains.count == 500)
        #expect(parse(list((0..<600).map { "ü\($0)" })) == .malformed(.invalidDomain))
        #expect(parse(list(Array(repeating: "ü", count: 900))).mailboxes.count == 900)
    }

    /// Texts of 1 MB that a careless parser reads again and again, for hours.
    @Test(
        .timeLimit(.minutes(5)),
        arguments: [
            "(", "()", "\"a\" ", "<", "<@", "a.", "a@b.example,", "A:a@b.example;,", "\\", "=?",
            "a ",
            "[",
            "((((((((((a))))))))))", "a@b.example ", "é",
        ])
    func linearTime(_ unit: String) {
        let value = Array(String(repeating: unit, count: 1_000_000 / unit.utf8.count).utf8)
        let limits = AuthorField.Limits(octets: .max, mailboxes: .max)
        let field = AuthorField(parsing: value.span, limits: limits)
        #expect(field == AuthorField(parsing: value.span, limits: limits))
    }

    /// Any bytes: no trap; and any address that is read has one plain domain.
    @Test func randomBytes() {
        let alphabet = Array("a.@<>()\"\\,:;[] \t\r\n\0é=?".utf8)
        var generator = SeededGenerator(seed: 1001)
        for _ in 0..<20_000 {
            let value = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &generator)]
            }
            for mailbox in AuthorField(parsing: value.span).mailboxes {
                // What is read, written and read again, is the same.
                let again = AuthorField(parsing: Array(mailbox.address.utf8).span).mailboxes
                #expect(again.map(\.localPart) == [mailbox.localPart], "\(value)")
                #expect(again.map(\.domain) == [mailbox.domain], "\(value)")
            }
        }
    }

    @Test func headers() {
        func field(_ fields: [(String, String)]) -> AuthorField {
            var header = HeaderSection(limits: .greatest)
            for (name, value) in fields {
                header.append(name: Array(name.utf8).span, value: Array(value.utf8).span)
            }
            return AuthorField(of: header)
        }
        #expect(field([]) == .nobody(.absent))
        #expect(field([("fROM", " a@b.example")]).domains.map(\.ascii) == ["b.example"])
        #expect(
            outcome(field([("From", " a@b.example"), ("from ", " c@d.example")]))
                == .sloppy(["a@b.example", "c@d.example"], .severalFields, doubtful: []))
        #expect(
            field([("From", " a@b.example"), ("From", " boss")]) == .malformed(.severalFields))
        #expect(field([("From", " a@b.example"), ("From", "")]).fault == .severalFields)
        // Together they may be as long as one, or a megabyte of them would take a second.
        let long = ("From", " " + String(repeating: "x ", count: 16_000) + "<a@b.example>")
        #expect(field([long, long]).fault == .severalFields)
        #expect(field([long, long, long]) == .malformed(.tooLong))
    }
}
