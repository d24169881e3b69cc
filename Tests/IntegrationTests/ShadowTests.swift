import TestKit
import Testing

/// `signet migrate --shadow` beside OpenDKIM and OpenDMARC themselves, behind one Postfix.
@Suite(.serialized, .enabled(if: ShadowHost.isPossible, "OpenDMARC or NSD is not installed"))
struct ShadowTests {
    /// The fields' names, from the top.
    private static func names(_ message: SMTPSink.Message) -> [Substring] {
        message.fields.compactMap { $0.split(separator: ":").first }
    }

    @Test func `what the filters in use do is compared, and nothing is changed`() throws {
        let host = try ShadowHost()
        func all() throws -> [SMTPSink.Message] {
            [
                try host.deliver(
                    ShadowHost.message("own", from: "ann@example.org"), from: "ann@example.org",
                    to: "bob@example.com", address: nil)
            ]
                + (try ["pass", "fail", "none"].map { name in
                    try host.deliver(
                        ShadowHost.message(name, from: "x@\(name).example"),
                        from: "x@\(name).example")
                })
        }
        let before = try all()
        #expect(before[0].values(of: "DKIM-Signature").count == 1)
        #expect(before[1].text.contains("dmarc=pass"), "\(before[1].text)")
        try host.beginShadow()
        let after = try all()
        #expect(after.map(Self.names) == before.map(Self.names))
        let report = try host.report(after: 8)
        // OpenDKIM's default leaves Message-ID out, as RFC 6376, section 5.4.1, does not name it.
        #expect(
            report.differences == ["signet-dkim: signature: covers message-id only here"],
            "\(report.text)")
        #expect(report.text.hasPrefix("! 1 of 8 comparisons differ\n"), "\(report.text)")
    }

    @Test func `what would become otherwise is told, with the reason`() throws {
        let host = try ShadowHost(opendkim: "SignHeaders From,To,Subject,Date,Message-ID")
        try host.beginShadow(
            dkim: { "\($0)SignatureTTL 3600\n" },
            dmarc: { "\($0)RejectFailures yes\nIgnoreMailFrom pass.example\n" },
            compact: true)
        _ = try host.deliver(
            ShadowHost.message("own", from: "ann@example.org"), from: "ann@example.org",
            to: "bob@example.com", address: nil)
        // A domain that OpenDKIM does not sign for, of this host.
        _ = try host.deliver(
            ShadowHost.message("other", from: "ann@none.example"), from: "ann@none.example",
            to: "bob@example.com", address: nil)
        for name in ["pass", "reject"] {
            let arrived = try host.deliver(
                ShadowHost.message(name, from: "x@\(name).example"), from: "x@\(name).example")
            #expect(arrived.values(of: "DKIM-Signature").isEmpty)
        }
        let report = try host.report(after: 8)
        #expect(
            Set(report.differences) == [
                "signet-dkim: signature: x= is none there, set here",
                "signet-dmarc: accepted there, 550 5.7.26 here",
                "signet-dmarc: dmarc=pass there, nothing here",
                "signet-dmarc: spf=pass there, nothing here",
            ], "\(report.text)")
        #expect(report.text.contains("DMARC: "), "\(report.text)")
    }

    /// The tutorial's OpenDKIM and the usual guide's OpenDMARC, with the addresses that they give Postfix.
    @Test(.enabled(if: ShadowHost.fixtures != nil, "no fixtures here"))
    func `the guides' configurations do what they did, but for what is listed`() throws {
        let host = try ShadowHost(files: [
            "etc/opendkim.conf": try ShadowHost.fixture("tutorial-opendkim/opendkim.conf"),
            "etc/opendkim/KeyTable": try ShadowHost.fixture("tutorial-opendkim/KeyTable")
                .replacing("keys/example.org/", with: ""),
            "etc/opendkim/SigningTable": try ShadowHost.fixture("tutorial-opendkim/SigningTable"),
            "etc/opendkim/TrustedHosts": try ShadowHost.fixture("tutorial-opendkim/TrustedHosts"),
            "etc/opendmarc.conf": try ShadowHost.fixture("guide-opendmarc/opendmarc.conf"),
            "etc/opendmarc/ignore.hosts": "127.0.0.1\n",
            "etc/postfix/main.cf":
                "smtpd_milters = inet:localhost:12145, local:opendmarc/opendmarc.sock\n",
        ])
        try host.beginShadow(dmarc: { "\($0)ExemptLists no\n" })
        let own = try host.deliver(
            ShadowHost.message("own", from: "ann@example.org"), from: "ann@example.org",
            to: "bob@example.com", address: nil)
        #expect(own.values(of: "DKIM-Signature").count == 1)
        for name in ["pass", "fail", "none"] {
            _ = try host.deliver(
                ShadowHost.message(name, from: "x@\(name).example"), from: "x@\(name).example")
        }
        let report = try host.report(after: 8)
        // The default lists of fields, of which the migration speaks; every verdict is the same.
        let kinds = report.differences.map {
            $0.split(separator: " ").prefix(3).joined(separator: " ")
        }
        #expect(
            kinds.sorted() == [
                "signet-dkim: signature: covers", "signet-dkim: signature: lets",
            ], "\(report.text)")
        #expect(report.text.hasPrefix("! 1 of 8 comparisons differ\n"), "\(report.text)")
    }
}
