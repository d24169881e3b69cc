import TestKit
import Testing

/// Each example of packaging/examples/scrub, with Postfix, Dovecot and the signer: what gives the sender away is in the message
/// without Signet, and nowhere in it with Signet.
@Suite(.serialized)
struct ScrubTopologyTests {
    private typealias Planted = ScrubHost.Planted

    /// An example, and what of the sender the host itself adds to the message.
    static let submissions: [(name: String, added: [String])] = [
        ("dovecot-untrusted", [Planted.address, Planted.helo]),
        ("dovecot-localhost", [Planted.address, Planted.helo]),
        ("dovecot-trusted", [Planted.address, Planted.helo, Planted.login]),
        ("dedicated-cleanup", [Planted.address, Planted.helo, Planted.login, Planted.cipher]),
        ("proxy-filter", [Planted.address, Planted.helo, Planted.login, Planted.cipher]),
        ("in-place", [Planted.address, Planted.helo, Planted.login, Planted.cipher]),
    ]

    private static let all = [
        Planted.address, Planted.helo, Planted.login, Planted.cipher, Planted.program,
        Planted.script, "laptop.lan",
    ]

    @Test(arguments: submissions)
    func usersAreHidden(name: String, added: [String]) throws {
        try expectHidden(name, added: added, root: nil)
    }

    /// Debian 13's Postfix can leave the client out by itself; the other ways work with it too.
    @Test(arguments: ["hide-client-session", "dedicated-cleanup", "in-place"])
    func usersAreHiddenByPostfix310(name: String) throws {
        let root = try DebianRoot("trixie", packages: ["postfix"])
        let added = [Planted.address, Planted.helo, Planted.login, Planted.cipher]
        try expectHidden(name, added: added, root: root)
    }

    /// A message that a user forwards as an attachment keeps its trace, which is the recipient's to read.
    @Test(arguments: ["dedicated-cleanup", "proxy-filter", "in-place"])
    func attachedMessagesStayAsTheyAre(name: String) throws {
        let trace = """
            Received: from mail.example.net (mail.example.net [198.51.100.9])
            \tby mx.example.org (Postfix) with ESMTPS id 4Other
            \tfor <ann@example.org>; Mon,  1 Jun 2026 14:00:00 +0200 (CEST)
            X-Mailer: theirs

            """
        let host = try ScrubHost(name)
        try host.submit(
            message: """
                From: ann@example.org
                Subject: planted
                MIME-Version: 1.0
                Content-Type: multipart/mixed; boundary=b

                --b
                Content-Type: message/rfc822

                \(trace)From: theirs@example.net

                Hello.
                --b--

                """)
        let message = try host.delivered().message
        #expect(
            message.text.contains(trace.replacing("\n", with: "\r\n"))
                || message.text.contains(trace), "\(message.text)")
        #expect(try host.signaturesAreGood(message))
    }

    private func expectHidden(_ name: String, added: [String], root: DebianRoot?) throws {
        let plain = try ScrubHost(name, withSignet: false, root: root)
        // A message without marks of its own, so that what is found is what the host has added.
        try plain.submit(message: "From: ann@example.org\nSubject: planted\n\n")
        let before = try plain.delivered().header
        for secret in added { #expect(before.contains(secret), "\(secret) in:\n\(before)") }

        let host = try ScrubHost(name, root: root)
        try host.submit()
        let (message, after) = try host.delivered()
        for secret in Self.all { #expect(!after.contains(secret), "\(secret) in:\n\(after)") }
        #expect(after.contains("Message-ID: <1@example.org>"))
        #expect(message.values(of: "Received").count >= 2, "loops must still end:\n\(after)")
        #expect(message.text.contains("The body stays as it is."))
        #expect(try host.signaturesAreGood(message), "the signer comes afterwards:\n\(after)")
    }
}
