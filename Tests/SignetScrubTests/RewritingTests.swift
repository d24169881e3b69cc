import Configuration
import HeaderScrub
import Testing

/// Message identifiers and dates.
struct RewritingTests {
    /// A right-hand side, and whether it is internal.
    static let sides: [(side: String, isInternal: Bool)] = [
        ("laptop", true), ("laptop.lan", true), ("PC.Local", true), ("a.b.internal", true),
        ("[192.168.1.1]", true), ("[IPv6:fe80::1]", true), ("192.168.1.1", true),
        ("fritz.home.arpa", true), ("mail.example.com", false), ("host.corp.example.org", true),
        ("corp.example.org", true), ("example.org", false), ("lan.example.com", false), ("", false),
    ]
    private static let directives =
        "RewriteMessageID yes\nInternalDomains corp.example.org,.corp.example.org"

    @Test(arguments: sides)
    func internalNamesAreReplaced(side: String, isInternal: Bool) {
        let expected = isInternal ? "mx.example.org" : side
        #expect(
            scrubbed("Message-ID: <1.a@\(side)>\n\n", by: Self.directives)
                == ["Message-ID: <1.a@\(expected)>"])
        #expect(scrubbed("Message-ID: <1.a@\(side)>\n\n") == ["Message-ID: <1.a@\(side)>"])
    }

    @Test func aThreadStaysAThread() {
        let first = scrubbed("Message-ID: <1@pc.lan>\n\n", by: Self.directives)
        let answer = scrubbed(
            "Message-ID: <3@pc.lan>\nIn-Reply-To: <1@pc.lan>\nReferences: <0@example.com>\n\t<1@pc.lan> <2@x.lan>\n\n",
            by: Self.directives)
        #expect(first == ["Message-ID: <1@mx.example.org>"])
        #expect(
            answer == [
                "Message-ID: <3@mx.example.org>", "In-Reply-To: <1@mx.example.org>",
                "References: <0@example.com>\n\t<1@mx.example.org> <2@mx.example.org>",
            ])
    }

    @Test(arguments: ["<a@b", "a@lan>", "<@", "<a b@lan>", "<a@\n lan>", "<<a@x.lan>", "", "<>"])
    func whatIsNoIdentifierDoesNoHarm(value: String) {
        _ = scrubbed("Message-ID: \(value)\n\n", by: Self.directives)
        if !value.contains("x.lan") {
            #expect(plan("Message-ID: \(value)\n\n", by: Self.directives).changes.isEmpty)
        }
    }

    /// A date, and the same in UTC.
    static let dates: [(old: String, new: String)] = [
        ("Mon, 1 Jun 2026 09:30:00 +0530", "Mon, 1 Jun 2026 04:00:00 +0000"),
        ("Mon, 1 Jun 2026 21:30:00 -0700 (PDT)", "Tue, 2 Jun 2026 04:30:00 +0000"),
        ("1 Jan 00 00:00 EST", "Sat, 1 Jan 2000 05:00:00 +0000"),
        ("Wed , 31 (d) Dec 1969 23:59:59 +0000", "Wed, 31 Dec 1969 23:59:59 +0000"),
        ("Mon, 1 Jun 2026 04:00:00 +0000", "Mon, 1 Jun 2026 04:00:00 +0000"),
        ("yesterday", "yesterday"), ("32 Jan 2026 00:00:00 +0000", "32 Jan 2026 00:00:00 +0000"),
        ("1 Jan 99999 00:00:00 +0000", "1 Jan 99999 00:00:00 +0000"), ("", ""),
        ("Mon, 1 Jun 2026 24:00:00 +0000", "Mon, 1 Jun 2026 24:00:00 +0000"),
    ]

    @Test(arguments: dates)
    func theDateIsToldInUTC(old: String, new: String) {
        #expect(scrubbed("Date: \(old)\n\n", by: "RewriteDate yes") == ["Date: \(new)"])
        #expect(scrubbed("Date: \(old)\n\n") == ["Date: \(old)"])
    }

    /// RFC 2045, section 4: comments in the field mean nothing.
    @Test(arguments: [
        ("Mime-Version: 1.0 (Mac OS X Mail 15.0 \\(3696.120.41.1.1\\))", "Mime-Version: 1.0"),
        ("MIME-Version: (produced by Tool 3) 1.0", "MIME-Version: 1.0"),
        ("mime-version: 1.(a (b) c)0\n (d)", "mime-version: 1.0"),
        ("MIME-Version: 1.0 (no end", "MIME-Version: 1.0"),
        ("MIME-Version:1.0", "MIME-Version:1.0"), ("MIME-Version: 1.0 )", "MIME-Version: 1.0 )"),
    ]) func commentsInMIMEVersion(field: String, after: String) {
        #expect(scrubbed(field) == [after])
        #expect(scrubbed(field, by: "DefaultRules no\nRemove X-A") == [field])
        #expect(scrubbed(field, by: "DefaultRules no\nReplace mime-version") == [after])
    }
}
