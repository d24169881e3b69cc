import Foundation
import Glibc
import MailDNS
import MailSyntax
import TestKit
import Testing

/// Conversations that end early, overlap, or are meant to hurt, with a running daemon.
@Suite(.serialized) struct ConversationTests {
    private let forged = MailMessage.from("ceo@victim.example")
    private let good = MailMessage.from("x@evil.example")

    @Test func `a connection may be cut at every byte`() throws {
        let daemon = try RunningDaemon()
        #expect(try daemon.dmarc(good) == "pass")
        let files = try daemon.openFiles
        var mta = daemon.mta
        mta.timeout = 5
        var cuts = 0
        for length in 1... {
            mta.cutAfter = length
            do {
                _ = try mta.deliver(good, daemon.envelope)
                break
            } catch StreamError.cut {
                cuts += 1
            }
        }
        #expect(cuts > good.description.utf8.count)
        _ = try wait(for: "open files to be \(files) again") {
            try daemon.openFiles <= files + 2 ? true : nil
        }
        #expect(try daemon.dmarc(good) == "pass")
        #expect(daemon.process.end == nil)
        // Only whole messages are recorded: the first, the last, and those cut after their end.
        #expect(try daemon.recorded() <= 2 + 40)
    }

    @Test func `a connection may be cut while the daemon waits for the DNS`() throws {
        let daemon = try RunningDaemon("DNSTimeout 3")
        #expect(try daemon.dmarc(good) == "pass")
        // The first question that has no answer soon makes the resolver's second context, which stays.
        daemon.dns.setSilent(true)
        _ = try daemon.mta.deliver(.from("x@silent.example"), daemon.envelope)
        let files = try daemon.openFiles
        let connections = try (0..<20).map { _ in
            let connection = try RawMilter(daemon.directory.file("s"))
            try connection.message(forged, from: "<x@evil.example>")
            return connection
        }
        usleep(300_000)
        for connection in connections { connection.close() }
        daemon.dns.setSilent(false)
        #expect(try daemon.dmarc(good) == "pass")
        _ = try wait(for: "open files to be \(files) again") {
            try daemon.openFiles <= files + 3 ? true : nil
        }
        #expect(daemon.process.end == nil)
    }

    @Test func `one hundred messages on one connection leave nothing behind`() throws {
        let daemon = try RunningDaemon("IgnoreMailTo dmarc@example.org")
        let connection = try daemon.mta.connect()
        for number in 0..<100 {
            var envelope = daemon.envelope
            envelope.queueID = "Q\(number)"
            switch number % 5 {
            case 0:
                envelope.authentication = ["auth_type": "PLAIN"]
                let outcome = try connection.deliver(forged, envelope)
                #expect(outcome.message.values("Authentication-Results").isEmpty)
            case 1:
                #expect(RunningDaemon.dmarc(try connection.deliver(forged, envelope)) == "fail")
            case 2:
                envelope.recipients = [["<dmarc@example.org>"]]
                #expect(RunningDaemon.dmarc(try connection.deliver(good, envelope)) == "pass")
            case 3:
                // Given up half-way.
                try connection.write("M", MilterWire.strings(["<x@evil.example>"]))
                try connection.write("L", MilterWire.strings(["From", " ceo@victim.example"]))
                try connection.abort()
            default:
                #expect(RunningDaemon.dmarc(try connection.deliver(good, envelope)) == "pass")
            }
        }
        connection.quit()
        #expect(daemon.log("Q5: ignoring authenticated client") == 1)
        #expect(daemon.log("Q6: victim.example fail") == 1)
        #expect(daemon.log("Q9: evil.example pass") == 1)
        #expect(try daemon.recorded() == 40)
    }

    @Test func `of two HELOs the last counts`() throws {
        let daemon = try RunningDaemon()
        var envelope = daemon.envelope
        envelope.mail = ["<>"]
        envelope.helo = ["unknown.example", "evil.example"]
        #expect(try daemon.dmarc(good, envelope) == "pass")
        envelope.helo = ["evil.example", "unknown.example"]
        #expect(try daemon.dmarc(good, envelope) == "fail")
    }

    @Test func `protocol version 2 evaluates as well`() throws {
        let daemon = try RunningDaemon("RejectFailures yes")
        let mta = FakeMTA.version2(daemon.mta.address)
        #expect(RunningDaemon.dmarc(try mta.deliver(good, daemon.envelope)) == "pass")
        #expect(try mta.deliver(forged, daemon.envelope).refusal == "550 5.7.26")
    }

    @Test func `200,000 header fields are deferred, and evaluated where the limit allows`() throws {
        var message = forged
        message.fields += (0..<200_000).map { MailMessage.Field("X\($0 % 10)", " y") }
        let daemon = try RunningDaemon()
        #expect(try daemon.mta.deliver(message, daemon.envelope).refusal == "451 4.3.4")
        #expect(try daemon.peakMemory < 64 << 20)
        try daemon.reload("MaximumHeaders 0", until: "is reloaded")
        #expect(try daemon.dmarc(message) == "fail")
    }

    @Test func `a thousand From mailboxes, and a thousand From fields, have an end`() throws {
        let daemon = try RunningDaemon()
        let authors = (0..<1000).map { "a@d\($0).a.b.c.d.e.f.example" }.joined(separator: ",\n ")
        #expect(try daemon.dmarc(.from(authors)) == "permerror")
        // Five author domains of eight questions each at most.
        #expect(daemon.dns.queries.count { $0.name.ascii.hasPrefix("_dmarc.") } <= 40)
        var several = good
        several.fields += (0..<1000).map { MailMessage.Field("From", " x@d\($0).example") }
        #expect(try daemon.dmarc(several) == "permerror")
    }

    /// Postfix's cleanup(8) is quadratic in edits.
    @Test func `fields in our name go, and the message is refused where there are too many`()
        throws
    {
        let daemon = try RunningDaemon()
        var message = forged
        let forgeries = [
            " mx.example.org; dmarc=pass", " MX.EXAMPLE.ORG 1; dmarc=pass",
            " \"mx.example.org\"; x",
            " (c) mx.example.org(c);dmarc=pass", " mx.example.org", " mx.example.org/q; dmarc=pass",
        ]
        for number in 0..<90 {
            let value = forgeries[number % forgeries.count]
            message.fields.insert(.init("Authentication-Results", value), at: 0)
        }
        #expect(try daemon.dmarc(message) == "fail")
        for number in 0..<10_000 {
            let value = forgeries[number % forgeries.count]
            message.fields.insert(.init("Authentication-Results", value), at: 0)
        }
        let outcome = try daemon.mta.deliver(message)
        #expect(
            outcome.decision
                == .replied("550 5.6.0 too many header fields that would have to be changed"))
        #expect(outcome.edits.isEmpty)
    }
}

/// A milter conversation of which a test does not wait for the end.
private final class RawMilter {
    private let socket: LoopbackSocket

    init(_ path: String) throws { socket = try LoopbackSocket.connect(path: path) }

    /// Negotiates and sends a whole message.
    func message(_ message: MailMessage, from sender: String) throws {
        let offer: [UInt32] = [6, 0x1ff, 0x1f_ffff]
        try socket.write(MilterWire.frame("O", offer.flatMap(MilterWire.number)))
        _ = try socket.read()
        var bytes = MilterWire.frame(
            "C",
            MilterWire.strings(["client.example.net"]) + Array("4".utf8) + [0x9c, 0x40]
                + MilterWire.strings(["192.0.2.1"]))
        bytes += MilterWire.frame("H", MilterWire.strings(["client.example.net"]))
        bytes += MilterWire.frame("M", MilterWire.strings([sender]))
        for field in message.fields {
            bytes += MilterWire.frame("L", MilterWire.strings([field.name]) + field.value + [0])
        }
        bytes += MilterWire.frame("N") + MilterWire.frame("B", message.body)
        try socket.write(bytes + MilterWire.frame("E"))
    }

    func close() { socket.shut() }
}
