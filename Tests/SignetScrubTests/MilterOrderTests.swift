import Configuration
import DaemonKit
import TestKit
import Testing

@testable import signet_scrub

/// What is found in Postfix's configuration: the socket is /var/spool/postfix/signet/scrub.sock.
struct MilterOrderTests {
    /// main.cf, master.cf, and the warnings about them: the place and what is named.
    static let cases: [(main: String, master: String, warnings: [String])] = [
        ("smtpd_milters = unix:signet/scrub.sock, unix:signet/dkim.sock", "", []),
        (
            "# comment\nsmtpd_milters = inet:localhost:8891,\n  unix:signet/scrub.sock\n", "",
            ["main.cf:2 inet:localhost:8891"]
        ),
        // Of several settings the last holds; a comment does not end a value.
        (
            "smtpd_milters = unix:a/dkim.sock unix:signet/scrub.sock\n"
                + "smtpd_milters =\n  # the first:\n  unix:signet/scrub.sock\n\n  unix:a/dkim.sock",
            "", []
        ),
        ("smtpd_milters = unix:a/dkim.sock\nnon_smtpd_milters = unix:signet/scrub.sock", "", []),
        ("smtpd_milters = unix:/other/scrub.sock, unix:a/dkim.sock", "", []),
        // Options in braces.
        (
            "smtpd_milters = { unix:a/dkim.sock, default_action=accept },"
                + "{unix:/var/spool/postfix/signet/scrub.sock}", "", ["main.cf:1 unix:a/dkim.sock"]
        ),
        // References, in all their forms.
        (
            "scrub=unix:signet/scrub.sock\nsign = unix:a/dkim.sock\nsmtpd_milters = $sign, $scrub",
            "", ["main.cf:3 unix:a/dkim.sock"]
        ),
        (
            "dir=signet\nboth = $(sign) ${scrub}\nscrub=unix:$dir/scrub.sock\n"
                + "sign = unix:${none}a/dkim.sock\nsmtpd_milters = $both\nnon_smtpd_milters = $both",
            "", ["main.cf:5 unix:a/dkim.sock"]
        ),
        (
            "sign = unix:a/dkim.sock\n"
                + "smtpd_milters = ${sign?$sign}${none?x} ${none:unix:signet/scrub.sock}",
            "", ["main.cf:2 unix:a/dkim.sock"]
        ),
        (
            "sign = unix:a/dkim.sock\n"
                + "smtpd_milters = ${none?{x}:{$sign}} ${sign ? {unix:signet/scrub.sock} : {x}}",
            "", ["main.cf:2 unix:a/dkim.sock"]
        ),
        ("smtpd_milters = $$sign unix:signet/scrub.sock\nsign = unix:a/dkim.sock", "", []),
        // Circles, and what doubles with each step.
        ("smtpd_milters = $a unix:signet/scrub.sock\na = ${b}\nb = $a", "", []),
        (
            "smtpd_milters = unix:a/dkim.sock unix:signet/scrub.sock $a0\n"
                + (0..<40).map { "a\($0) = $a\($0 + 1)$a\($0 + 1)\n" }.joined(), "",
            ["main.cf:1 unix:a/dkim.sock"]
        ),
        ("smtpd_milters = ${a unix:signet/scrub.sock $ {$", "", []),
        // Services that set the list, or what it refers to.
        (
            "smtpd_milters = unix:signet/scrub.sock $sign\n",
            """
            smtp inet n - y - - smtpd
            submission inet n - y - - smtpd
              -o syslog_name=postfix/submission
              -o { smtpd_milters = unix:a/dkim.sock, unix:signet/scrub.sock }
            submissions inet n - y - - smtpd
              -osmtpd_milters=unix:b/dkim.sock,unix:signet/scrub.sock
            """, ["master.cf:2 unix:a/dkim.sock", "master.cf:5 unix:b/dkim.sock"]
        ),
        (
            "smtpd_milters = $mine unix:signet/scrub.sock\n",
            "smtp inet n - y - - smtpd\n    -o mine=unix:a/dkim.sock",
            ["master.cf:1 unix:a/dkim.sock"]
        ),
    ]

    private func warnings(_ main: String, _ master: String, _ lines: String = "") throws -> [String]
    {
        let directory = try TemporaryDirectory("signet-scrub")
        try directory.write(main, to: "main.cf")
        try directory.write(master, to: "master.cf")
        let reader = ConfigurationReader(
            schema: SignetScrub.description.schema,
            text: "PostfixDirectory \(directory.path)\n\(lines)", named: "scrub.conf")
        _ = ScrubConfiguration(reading: reader)
        #expect(reader.problems.allSatisfy { $0.severity == .warning })
        return reader.problems.map { $0.description.replacing("\(directory.path)/", with: "") }
    }

    @Test(arguments: cases.indices)
    func signersInFrontAreFound(index: Int) throws {
        let (main, master, expected) = Self.cases[index]
        let found = try warnings(main, master)
        #expect(found.count == expected.count, "\(found)")
        for (warning, expected) in zip(found, expected) {
            let parts = expected.split(separator: " ", maxSplits: 1)
            #expect(warning.hasPrefix("\(parts[0]): warning: \(parts[1]) signs before"))
        }
    }

    @Test func aSocketOnAPortIsFoundToo() throws {
        let found = try warnings(
            "smtpd_milters = inet:127.0.0.1:8891, inet:127.0.0.1:8890", "",
            "Socket inet:8890@localhost")
        #expect(found.count == 1)
    }

    /// Lists of milters, and whether they name the socket twice in a row.
    @Test(arguments: [
        ("unix:signet/scrub.sock, unix:signet/scrub.sock, unix:a/dkim.sock", true),
        ("unix:signet/scrub.sock, unix:a/dkim.sock, unix:signet/scrub.sock", false),
        ("$scrub, unix:a/dkim.sock", false), ("$scrub $scrub", true), ("unix:a/dkim.sock", true),
    ])
    func aReplacementInPlaceNeedsASecondLook(milters: String, isGood: Bool) throws {
        let main = "scrub = unix:signet/scrub.sock\nsmtpd_milters = \(milters)"
        #expect(try warnings(main, "").isEmpty)
        let found = try warnings(main, "", "ReplaceOwnReceived yes")
        #expect(found.isEmpty == isGood, "\(found)")
        #expect(
            isGood || found[0].contains("main.cf:2: warning: ReplaceOwnReceived: nothing checks"))
    }
}
