import Configuration
import DaemonKit
import HeaderScrub
import Testing

/// Which rule decides about a field.
struct RuleTests {
    /// A configuration, a field, and whether it stays.
    static let cases: [(rules: String, field: String, stays: Bool)] = [
        ("", "X-Mailer: Pine", false),
        ("", "x-MAILER:", false),
        ("", "User-Agent: Mutt/2.2", false),
        ("", "X-Originating-IP: [192.0.2.1]", false),
        ("", "X-PHP-Script: www.example.org/a.php for 192.0.2.1", false),
        ("", "X-PHP-Originating-Script: 1000:a.php", false),
        ("", "X-MimeOLE: Produced By Microsoft MimeOLE", false),
        ("", "X-Forward: 198.51.100.7", false),
        ("", "X-Forwarded-For: 198.51.100.7, 10.0.0.1", false),
        ("", "X-Pgp-Agent: GPGMail 2.5.2", false),
        ("", "Http-User-Agent: Mutt", false),
        ("", "X-Readdle-Message-ID: 1@Spark", false),
        ("", "X-Google-Original-From: Ann <ann@example.org>", false),
        ("", "X-K9mail-Identity: !l=0", false),
        ("", "X-Squirrel-UserHash: NQYRRTwcNktTVUlTWFZaWRRVWg==", false),
        ("", "X-Squirrel-FromHash: N1gUGH5fRhE=", false),
        ("", "X-OriginalArrivalTime: 07 Jan 2006 10:33:08.0424 (UTC) FILETIME=[C0:01]", false),
        ("", "X-Library: Indy 9.00.10", false),
        ("", "X-EM-Version: 6, 0, 0, 4", false),
        ("", "X-EM-Registration: #000000", false),
        ("", "X-MS-Has-Attach: yes", false),
        ("", "X-MS-TNEF-Correlator:", false),
        // The key that belongs to an attached winmail.dat.
        ("", "X-MS-TNEF-Correlator: <1@example.org>", true),
        ("", "x-ms-exchange-transport-fromentityheader: Hosted", false),
        ("", "X-MS-Office365-Filtering-Correlation-Id: e6d837d1", false),
        ("", "X-ClientAddr: 192.0.2.202", false),
        ("", "X-Sender-Id: host|x-authsender|ann@example.org", false),
        ("", "X-Trace: news.example.org 1045031719 4409 192.0.2.99", false),
        ("", "X-NNTP-Posting-Host: 192.0.2.1", false),
        ("", "X-Uptime: 22:45:19 up 160 days, 1 user", false),
        ("", "X-MDHelo: [10.10.10.144]", false),
        ("", "X-MDOrigin-Country: US, NA", false),
        ("", "X-SA-Exim-Connect-IP: 192.0.2.163", false),
        ("", "X-SA-Exim-Rcpt-To: bob@example.org", false),
        ("", "X-Lotus-FromDomain: EXAMPLE", false),
        ("", "X-KeepSent: 7C58670D:824A65B3-00258434:002DF9B8", false),
        ("", "X-Exim-ID: 1qqEFa-001qqY-HP", false),
        ("", "X-DG-Ref: PG1ldGE+PGF0IG5tPSJib2R5LnR4dCIgcD0iYzpcdXNlcnNcYW5u", false),
        ("", "X-Titus-Metadata-40: eyJDYXRlZ29yeUxhYmVscyI6IiJ9", false),
        ("", "DLP-Product: dlpe-windows", false),
        ("", "X-PGP-Universal: processed; by pgp.example.org on Mon, 02 Sep 2019", false),
        ("", "X-Blue-Identity: !l=386&n=Ann&e=ann%40example.org&m=!%3AOTFj%3ASU5CT1g", false),
        ("", "X-Referenced-Uid: 21957", false),
        ("", "X-Is-Generated-Message-Id: true", false),
        ("", "Originator-Info: login-id=ann; server=imap.example.org", false),
        ("", "Comments: Authenticated sender is <ann@mail.example.org>", false),
        ("", "Comments: the minutes of Monday", true),
        ("", "X-Cron-Env: <HOME=/home/ann>", false),
        ("", "X-TNEFEvaluated: 1", false),
        ("", "X-GUID: 27CBE808-AD2C-4349-AF22-F7AF4419C482", false),
        ("", "X-Has-Attach: no", false),
        ("", "X-Android-Message-ID: <1@email.android.com>", false),
        ("", "X-OX-Marker: 903a05d6-a874-4854-9d6f-7230742652db", false),
        ("", "Thread-Index: AcYTdWqbURxdIkCXQ9KqWSJQW73gbwAADmLg", true),
        ("", "X-Forwarded-Message-Id: <1@example.org>", true),
        ("", "X-Priority: 1", true),
        ("", "MIME-Version: 1.0", true),
        ("Keep MIME-Version", "Mime-Version: 1.0 (Tool 3)", true),
        ("", "Subject: hello", true),
        ("", "X-Mailers: none", true),
        ("", "XX-Mailer: none", true),
        ("", "List-Unsubscribe: <mailto:a@example.org>", true),
        // First match wins.
        ("Keep X-Mailer\nRemove X-Mailer", "X-Mailer: a", true),
        ("Remove X-Mailer\nKeep X-Mailer", "X-Mailer: a", false),
        // The postmaster's rules come before the default ones.
        ("Keep X-Mailer", "X-Mailer: a", true),
        ("Keep X-Mailer", "User-Agent: a", false),
        ("DefaultRules no\nRemove X-Odd", "X-Mailer: a", true),
        // Patterns.
        ("Remove X-?b[c-d]*", "X-abdef: 1", false),
        ("Remove X-?b[c-d]*", "X-abef: 1", true),
        ("Remove X-[!a]*", "X-b: 1", false),
        ("Remove X-[!a]*", "X-a: 1", true),
        // Values: unfolded, without white space at the ends, without regard to case.
        ("Remove X-Tool *internal*", "X-Tool: a\n INTERNAL b", false),
        ("Remove X-Tool *internal*", "X-Tool: public", true),
        ("Remove X-Tool a b", "X-Tool:  a b ", false),
        ("Remove X-Tool ?*", "X-Tool:  ", true),
        ("Keep X-Mailer *Mutt*\nRemove X-Mailer", "X-Mailer: Mutt", true),
        ("Keep X-Mailer *Mutt*\nRemove X-Mailer", "X-Mailer: Pine", false),
        // Wildcards do not reach what a message needs.
        ("Remove *", "Subject: a", true),
        ("Remove *", "Content-Type: text/plain", true),
        ("Remove *", "DKIM-Signature: nonsense", true),
        ("Remove *", "X-Anything: a", false),
        ("Remove Subject", "Subject: a", false),
        ("Remove List-*", "List-Id: a", true),
        ("Remove List-Id", "List-Id: a", false),
        // Patterns that are hard for backtracking matchers, and rules that match nothing.
        ("Remove X-*a*a*a*a*a*a*a*a*b", "X-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: a", true),
        ("Remove X-Nothing-Has-This", "X-Something: a", true),
    ]

    @Test(arguments: cases)
    func aFieldStaysOrGoes(rules: String, field: String, stays: Bool) {
        let (_, problems) = policy(rules)
        #expect(!problems.hasErrors)
        let left = scrubbed("From: a@example.org\n\(field)\nDate: x\n\n", by: rules)
        #expect(left.count == (stays ? 3 : 2))
    }

    @Test func everyDefaultRuleCompiles() {
        let text = RuleList.defaults.map { "\($0.action.rawValue) \($0.text)\n" }.joined()
        let (written, problems) = policy("DefaultRules no\n" + text)
        #expect(problems.isEmpty)
        #expect(written.rules.rules.count == ScrubPolicy().rules.rules.count)
        #expect(written.rules.rules.count == RuleList.defaults.count)
    }

    /// A bad configuration, and where and how it is found to be so.
    static let faults: [(text: String, place: String, words: String)] = [
        ("Remove X-[ab", "scrub.conf:1:10: error: Remove", "a [ without its ]"),
        ("\n  Remove: X-Tool a[z-a]", "scrub.conf:2:20: error: Remove", "runs backwards"),
        ("Remove X-Tool a\\", "scrub.conf:1:16: error: Remove", "backslash"),
        ("Remove X-Mailer:", "scrub.conf:1:16: error: Remove", "colon"),
        ("Replace X-Mailer", "scrub.conf:1:9: error: Replace", "only Received"),
        ("Remove From", "scrub.conf:1:8: error: Remove", "cannot do without"),
        ("Remove content-type", "scrub.conf:1:8: error: Remove", "cannot do without"),
        ("Remove", "scrub.conf:1:1: error: Remove", "no value"),
        ("Removes X-Mailer", "scrub.conf:1:1: error: Removes", "did you mean Remove?"),
        ("PublicHostName not a name", "scrub.conf:1:1: error: PublicHostName", "host name"),
        ("Remove \(String(repeating: "a", count: 1025))", "scrub.conf:1:8: error", "longer than"),
    ]

    @Test(arguments: faults)
    func aBadPatternIsFoundWhereItStands(text: String, place: String, words: String) throws {
        let found = policy(text).problems.map(\.description)
        let problem = try #require(found.first)
        #expect(problem.hasPrefix(place))
        #expect(problem.contains(words))
    }
}
