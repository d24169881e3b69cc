import Foundation
import Glibc
import TestKit
import Testing

/// Conversations that end early, overlap, or go on for long, with a running daemon.
@Suite(.serialized) struct ConversationTests {
    private let keys: Keys

    init() throws {
        keys = try Keys.shared.get()
    }

    @Test func `a connection may be cut at every byte`() throws {
        let daemon = try RunningDaemon(keys.single)
        let message = try MailMessage.plain.signed()
        #expect(try daemon.mta.deliver(message).results.count == 1)
        let files = try daemon.openFiles
        var mta = daemon.mta
        mta.timeout = 5
        var cuts = 0
        for length in 1... {
            mta.cutAfter = length
            do {
                _ = try mta.deliver(message)
                break
            } catch StreamError.cut {
                cuts += 1
            }
        }
        #expect(cuts > message.description.utf8.count)
        try daemon.waitForOpenFiles(files)
        #expect(try daemon.mta.deliver(message).results[0].contains("dkim=pass"))
        #expect(daemon.process.end == nil)
    }

    @Test func `one hundred messages on one connection leave nothing behind`() throws {
        let daemon = try RunningDaemon("DontSignMailTo list@example.net\n" + keys.twins)
        let signed = try MailMessage.plain.signed()
        let connection = try daemon.mta.connect()
        for number in 0..<100 {
            var envelope = Envelope()
            envelope.queueID = "Q\(number)"
            switch number % 5 {
            case 0:
                envelope.authentication = ["auth_type": "PLAIN"]
                let outcome = try connection.deliver(.plain, envelope)
                #expect(outcome.signatureCount == 2 && outcome.results.isEmpty)
            case 1:
                let outcome = try connection.deliver(signed, envelope)
                #expect(outcome.signatureCount == 1 && outcome.results[0].contains("dkim=pass"))
            case 2:
                envelope.authentication = ["auth_type": "PLAIN"]
                envelope.recipients = [["<list@example.net>"]]
                #expect(try connection.deliver(.plain, envelope).signatureCount == 0)
            case 3:
                // Given up half-way.
                try connection.write("M", MilterWire.strings(["<x@example.org>"]))
                try connection.write("L", MilterWire.strings(["From", " eve@example.org"]))
                try connection.abort()
            default:
                let outcome = try connection.deliver(.plain, envelope)
                #expect(outcome.signatureCount == 0 && outcome.results.isEmpty)
            }
        }
        connection.quit()
        for number in stride(from: 2, to: 100, by: 5) {
            #expect(
                daemon.log("Q\(number): list@example.net is in DontSignMailTo; not signed") == 1)
        }
        #expect(daemon.log("Q4: external host client.example.net [192.0.2.1] attempted") == 1)
    }

    @Test func `XCLIENT opens a second session beside the first`() throws {
        let daemon = try RunningDaemon("InternalHosts 192.0.2.7\n" + keys.single)
        let first = try daemon.mta.connect()
        var proxy = Envelope()
        proxy.clientAddress = "127.0.0.1"
        #expect(try first.deliver(.plain, proxy).signatureCount == 0)
        let second = try daemon.mta.connect()
        var client = Envelope()
        client.clientAddress = "192.0.2.7"
        #expect(try second.deliver(.plain, client).signatureCount == 1)
        var login = Envelope()
        login.authentication = ["auth_type": "XCLIENT", "auth_authen": "alice"]
        #expect(try first.deliver(.plain, login).signatureCount == 1)
        #expect(try first.deliver(.plain, proxy).signatureCount == 0)
        first.quit()
        second.quit()
    }

    @Test func `two HELOs and their ABORT change nothing`() throws {
        let daemon = try RunningDaemon(ours(keys.single))
        var envelope = Envelope()
        envelope.helo = ["client.example.net", "client.example.net"]
        let connection = try daemon.mta.connect()
        #expect(try connection.deliver(.plain, envelope).signatureCount == 1)
        try connection.abort()
        try connection.abort()
        #expect(try connection.deliver(.plain, envelope).signatureCount == 1)
        connection.quit()
    }

    @Test func `protocol version 2 signs as well`() throws {
        let daemon = try RunningDaemon(ours(keys.twins))
        let mta = FakeMTA.version2(daemon.mta.address)
        let sent = try mta.deliver(.plain)
        #expect(sent.signatureCount == 2)
        // What the signature covers is a guess then, which is said once.
        #expect(try mta.deliver(.plain).signatureCount == 2)
        #expect(daemon.log("may not verify; set Canonicalization relaxed") == 1)
        let relaxed = try RunningDaemon(ours("Canonicalization relaxed/simple\n" + keys.twins))
        #expect(
            try FakeMTA.version2(relaxed.mta.address).deliver(.plain).signatureCount == 2)
        #expect(relaxed.log("may not verify") == 0)
        let received = try MailMessage.plain.signed()
        var stranger = Envelope()
        stranger.clientAddress = "198.51.100.1"
        #expect(try mta.deliver(received, stranger).results[0].contains("dkim=pass"))
    }

    @Test func `a message without a queue id is logged as NOQUEUE`() throws {
        let daemon = try RunningDaemon(keys.single)
        for id in [nil, ""] {
            let connection = try RawConversation(daemon.mta)
            try connection.begin(queueID: id)
            try connection.field("From", Array("a@example.org".utf8))
            try connection.endHeader()
            #expect(try connection.end().map(\.command) == ["a"])
            connection.close()
        }
        #expect(daemon.log("NOQUEUE: external host client.example.net [192.0.2.1] attempted") == 2)
    }

    @Test func `a frame over 1 MB ends its connection and nothing else`() throws {
        let daemon = try RunningDaemon(ours(keys.single))
        let other = try daemon.mta.connect()
        let connection = try RawConversation(daemon.mta)
        try connection.begin()
        try connection.field("From", Array("a@example.org".utf8))
        try connection.endHeader()
        #expect(throws: StreamError.self) {
            try connection.body([UInt8](repeating: 65, count: 1 << 20))
            _ = try connection.end()
        }
        try daemon.process.waitForLogLine("4XyZ: ended by the MTA before it was complete")
        #expect(try other.deliver(.plain).signatureCount == 1)
        other.quit()
        #expect(daemon.log("before it was complete") == 1)
    }
}
