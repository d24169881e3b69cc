import Foundation
import TestKit
import Testing

/// The daemon itself, from the MTA's side.
@Suite(.serialized)
struct DaemonTests {
    private let directory: TemporaryDirectory
    private let mta: FakeMTA

    init() throws {
        directory = try TemporaryDirectory("signet-scrub")
        mta = FakeMTA(.unix(directory.file("s")))
    }

    private func daemon(_ rules: String = "") throws -> DaemonProcess {
        try DaemonProcess(
            "signet-scrub",
            configuration: "PostfixDirectory \(directory.path)\n\(rules)\n"
                + "Socket unix:\(directory.file("s"))\n")
    }

    /// An envelope of a user who has logged in.
    static var submission: Envelope {
        var envelope = Envelope()
        envelope.authentication = ["auth_type": "PLAIN", "auth_authen": "ann"]
        return envelope
    }

    private func deliver(_ fields: [MailMessage.Field], _ envelope: Envelope = submission) throws
        -> Outcome
    {
        try mta.deliver(MailMessage(fields: fields, body: Array("body\r\n".utf8)), envelope)
    }

    // MARK: Whose mail

    /// A configuration, a client, and whether its mail is scrubbed.
    static let clients:
        [(rules: String, change: @Sendable (inout Envelope) -> Void, isOurs: Bool)] = [
            ("", { _ in }, false),
            ("", { $0.clientAddress = "127.0.0.1" }, false),
            ("", { $0.authentication = ["auth_type": "LOGIN"] }, true),
            ("", { $0.authentication = ["auth_type": ""] }, false),
            ("InternalHosts 192.0.2.0/24", { _ in }, true),
            ("InternalHosts 192.0.3.0/24", { _ in }, false),
            ("InternalHosts .example.net", { _ in }, true),
            ("InternalHosts 127.0.0.1", { $0.clientAddress = nil }, false),
            ("MTA SUBMISSION", { $0.daemonName = "SUBMISSION" }, true),
            ("MTA SUBMISSION", { $0.daemonName = "smtpd" }, false),
            ("MacroList mail_mailer=smtp|local", { _ in }, true),
            ("MacroList mail_mailer=local", { _ in }, false),
        ]

    @Test(arguments: clients.indices)
    func onlySubmissionsAreScrubbed(index: Int) throws {
        let (rules, change, isOurs) = Self.clients[index]
        let daemon = try daemon(rules)
        var envelope = Envelope()
        change(&envelope)
        let outcome = try deliver([.init("X-Mailer", " a"), .init("Subject", " b")], envelope)
        #expect(outcome.decision == .accepted)
        #expect(outcome.message.values("X-Mailer").isEmpty == isOurs)
        #expect(outcome.edits.isEmpty != isOurs)
        withExtendedLifetime(daemon) {}
    }

    @Test func manyMessagesOnOneConnection() throws {
        let daemon = try daemon()
        let connection = try mta.connect()
        let message = MailMessage("X-Mailer: a\nReceived: by b\n\nbody\n")
        for round in 0..<4 {
            let isOurs = round % 2 == 0
            let outcome = try connection.deliver(message, isOurs ? Self.submission : Envelope())
            #expect(outcome.message.values("X-Mailer").isEmpty == isOurs)
            #expect(outcome.message.values("Received").count == 2)
        }
        connection.quit()
        withExtendedLifetime(daemon) {}
    }

    @Test func postfixsOldProtocolWorksToo() throws {
        let daemon = try daemon()
        let mta = FakeMTA.version2(.unix(directory.file("s")))
        let outcome = try mta.deliver(
            MailMessage("X-Mailer: a\nReceived: by b\nSubject: c\n\n"), Self.submission)
        #expect(outcome.message.values("X-Mailer").isEmpty)
        #expect(outcome.message.values("Received")[1].hasPrefix(" by mx.example.org; "))
        #expect(outcome.message.values("Subject") == [" c"])
        withExtendedLifetime(daemon) {}
    }

    // MARK: Hostile messages

    @Test func aThousandsOfReceivedFieldsAreRefused() throws {
        let daemon = try daemon("Remove Received")
        let field = MailMessage.Field("Received", " by a")
        let outcome = try deliver(Array(repeating: field, count: 10_000))
        #expect(outcome.decision == .replied("554 5.4.6 Error: too many hops"))
        #expect(outcome.edits.isEmpty)
        withExtendedLifetime(daemon) {}
    }

    /// Postfix's cleanup(8) is quadratic in edits: up to the limit all go, beyond it none.
    @Test(arguments: [80, 1000]) func manyFieldsAreRemovedOrRefused(count: Int) throws {
        let daemon = try daemon()
        let fields = (0..<2 * count).map {
            MailMessage.Field($0 % 2 == 0 ? "X-Mailer" : "X-Stays", " \($0)")
        }
        let outcome = try deliver(fields)
        if count <= 100 {
            #expect(outcome.message.values("X-Mailer").isEmpty)
            #expect(outcome.message.values("X-Stays").count == count)
        } else {
            #expect(
                outcome.decision
                    == .replied("550 5.6.0 too many header fields that would have to be changed"))
            #expect(outcome.edits.isEmpty)
        }
        withExtendedLifetime(daemon) {}
    }

    /// Values that fields may have: folded, empty, 8-bit, long.
    static let values = [
        "", " ", " a\n b\n\tc", "\n a", " \u{fc}\u{1F600}", String(repeating: " x", count: 500_000),
        String(repeating: "\n ;(", count: 250_000), " \u{1}\u{7f}\r x",
    ]

    @Test(arguments: values)
    func anyValueIsRemovedOrReplaced(value: String) throws {
        let daemon = try daemon(
            "Remove X-Odd *nothing*like*this*\nRewriteMessageID yes\nRewriteDate yes")
        var names = ["X-Mailer", "Received", "X-Odd"]
        // Long values together would meet the limit of a header section.
        if value.utf8.count < 1000 { names += ["Message-ID", "Date", "DKIM-Signature"] }
        var fields = names.map { MailMessage.Field($0, value) }
        fields += [.init("X-Mailer", " last"), .init("X-Eight", " \u{e9}")]
        let outcome = try deliver(fields)
        #expect(outcome.decision == .accepted)
        #expect(outcome.message.values("X-Mailer").isEmpty)
        let received = try #require(outcome.message.values("Received").last)
        #expect(received.prefix(80).hasPrefix(" by mx.example.org; "))
        #expect(outcome.message.values("X-Odd") == [value])
        #expect(outcome.message.values("Message-ID").allSatisfy { $0 == value })
        withExtendedLifetime(daemon) {}
    }

    /// Postfix sends no such thing; what is left of the message is scrubbed all the same.
    @Test(arguments: ["<a@x.lan>\n<b@y.lan>", "<a@x.lan>\n", "<a@x.lan>\n\r<b@y.lan>"])
    func lineEndsThatAreNoFoldsStay(value: String) throws {
        let daemon = try daemon("RewriteMessageID yes")
        let outcome = try deliver([.init("References", value), .init("X-Mailer", " a")])
        #expect(outcome.decision == .accepted)
        #expect(outcome.message.values("References") == [value])
        #expect(outcome.message.values("X-Mailer").isEmpty)
        withExtendedLifetime(daemon) {}
    }

    @Test func eightBitValuesAreRemovedToo() throws {
        let daemon = try daemon()
        var field = MailMessage.Field("X-Mailer", "")
        field.value = [0x20, 0xFF, 0xC3, 0x28, 0x80]
        #expect(try deliver([field]).message.values("X-Mailer").isEmpty)
        withExtendedLifetime(daemon) {}
    }

    @Test func aHeaderSectionBeyondTheLimitIsRefused() throws {
        let daemon = try daemon()
        let field = MailMessage.Field("X-Long", " " + String(repeating: "x", count: 900_000))
        let outcome = try deliver(Array(repeating: field, count: 6))
        #expect(outcome.decision == .replied("552 5.3.4 Message header too long"))
        // The same from outside is none of our business.
        #expect(try deliver(Array(repeating: field, count: 6), Envelope()).decision == .accepted)
        withExtendedLifetime(daemon) {}
    }

    @Test func aSignatureOverThousandsOfFieldsFillsNoLog() throws {
        let daemon = try daemon()
        var fields = (0..<1000).map { MailMessage.Field("X-PHP-\($0 / 2)", " a") }
        let names = fields.map(\.name).joined(separator: ":\n ")
        fields.append(.init("DKIM-Signature", " v=1; d=example.org; h=\(names)"))
        let outcome = try deliver(fields)
        #expect(outcome.edits.isEmpty)
        try daemon.waitForLogLine("X-PHP-19 stays: covered by the DKIM example.org signature")
        #expect(try daemon.stop() == .exited(0))
        #expect(daemon.log.count { $0.contains("stays") } == 20)
    }

    // MARK: The MTA's own field

    @Test func theOwnFieldIsReplacedInPlace() throws {
        let daemon = try daemon("ReplaceOwnReceived yes")
        let outcome = try mta.deliver(
            MailMessage("Received: by x\nX-Mailer: a\nSubject: b\nReceived: by y\n\n"),
            Self.submission)
        let received = outcome.message.values("Received")
        #expect(received.count == 3)
        #expect(received[0].contains("by mx.example.org id 4XyZ;"))
        #expect(!outcome.message.description.contains("192.0.2.1"))
        withExtendedLifetime(daemon) {}
    }

    @Test func aFieldThatSurvivesIsNoticed() throws {
        let daemon = try daemon("ReplaceOwnReceived yes")
        let (first, second) = (try mta.connect(), try mta.connect())
        let outcome = try first.deliver(MailMessage("Subject: a\n\n"), Self.submission)
        let replaced = try #require(outcome.message.values("Received").first)
        // An MTA that works as hoped shows the new field to the second look.
        let good = MailMessage(
            fields: [.init("Received", replaced), .init("Subject", " a")], body: [])
        #expect(try second.deliver(good, Self.submission).decision == .accepted)
        // One that does not shows what it has always shown.
        _ = try first.deliver(MailMessage("Subject: a\n\n"), Self.submission)
        let bad = try second.deliver(MailMessage("Subject: a\n\n"), Self.submission)
        #expect(bad.decision == .replied("451 4.3.5 Server configuration problem"))
        try daemon.waitForLogLine("4XyZ", "has kept its own Received field")
        first.quit()
        second.quit()
    }

    @Test func aReplacementThatNobodyLooksAtIsWarnedOf() throws {
        let daemon = try daemon("ReplaceOwnReceived yes")
        let connection = try mta.connect()
        _ = try connection.deliver(MailMessage("Subject: a\n\n"), Self.submission)
        #expect(daemon.log.allSatisfy { !$0.contains("nothing checks") })
        // With the next message, or with its end, it is certain that no second look has come.
        _ = try connection.deliver(MailMessage("Subject: b\n\n"), Self.submission)
        try daemon.waitForLogLine("ReplaceOwnReceived: nothing checks")
        connection.quit()
        _ = try deliver([.init("Subject", " c")])
        #expect(try daemon.stop() == .exited(0))
        #expect(daemon.log.count { $0.contains("nothing checks") } == 1)
    }

    // MARK: The order of milters

    @Test func aSignatureMadeJustNowIsWarnedOf() throws {
        let daemon = try daemon()
        let now = Int(Date().timeIntervalSince1970)
        _ = try deliver([
            .init("DKIM-Signature", " v=1; d=example.org; t=\(now); h=x-mailer:from"),
            .init("X-Mailer", " a"),
        ])
        try daemon.waitForLogLine("X-Mailer stays: covered by the DKIM example.org signature")
        try daemon.waitForLogLine("name signet-scrub before the signer")
    }

    @Test func aSignerInFrontOfUsIsFoundInMainCF() throws {
        try directory.write(
            "# comment\nsmtpd_milters = inet:localhost:8891,\n  unix:\(directory.file("s"))\n",
            to: "main.cf")
        try directory.write(
            "smtp inet n - y - - smtpd\n  -o smtpd_milters=unix:\(directory.file("s")),unix:x/dkim.sock\n",
            to: "master.cf")
        let daemon = try daemon()
        try daemon.waitForLogLine("main.cf:2: warning: inet:localhost:8891 signs before")
        #expect(!daemon.log.contains { $0.contains("master.cf") })
    }
}
