import Glibc
import TestKit
import Testing

/// All of Signet on one host, as the packages install it: what users send, and what they get.
@Suite(.serialized)
struct SuiteTests {
    /// Both versions of the protocol that Postfix speaks.
    static let versions = [6, 2].map { SuiteHost.Treatment(version: $0) }

    @Test(arguments: versions)
    func `what users submit is scrubbed, then signed`(treatment: SuiteHost.Treatment) throws {
        let host = try SuiteHost(treatment)
        let reply = try host.submit(SuiteMail.submission("out"))
        #expect(reply.code == 250, "\(reply)")
        let message = try host.sink.waitForMessage(containing: "Subject: out")
        #expect(SuiteMail.scrubbed(message) == .all, "\(message.text)")
        #expect(SuiteMail.signed(message) == .all, "\(message.text)")
        #expect(message.values(of: "Received").count == 3, "hops are still counted")
        #expect(message.values(of: "Authentication-Results").isEmpty)
        // A signer that came first would have signed what is gone.
        for peer in DKIMPeer.allCases {
            let verdicts = try peer.verify(message.bytes, records: host.keys.records)
            #expect(Set(verdicts) == host.keys.goodVerdicts, "\(peer)")
        }
        #expect(host.scrub.log.contains { $0.contains("scrubbed") })
    }

    @Test(arguments: versions)
    func `what comes from outside is judged once`(treatment: SuiteHost.Treatment) throws {
        let host = try SuiteHost(treatment)
        let friend = try host.signed(SuiteMail.incoming("friend", author: "eve@friend.example"))
        #expect(
            try host.deliver(friend, from: "eve@friend.example", at: "192.0.2.1").code == 250)
        let forged = SuiteMail.incoming("forged", author: "eve@friend.example")
        #expect(
            try host.deliver(forged, from: "x@forger.example", at: "203.0.113.1").code == 250)
        let refused = try host.deliver(forged, from: "eve@friend.example", at: "203.0.113.1")
        #expect(refused.code == 550)
        #expect(refused.lines.first?.hasPrefix("5.7.23 ") == true, "\(refused)")

        let arrived = try host.waitForMailbox(2)
        #expect(arrived.map(SuiteMail.token).sorted() == ["forged", "friend"])
        for message in arrived {
            let isFriend = SuiteMail.token(of: message) == "friend"
            let results = SuiteMail.results(message)
            let verdict = isFriend ? "pass" : "fail"
            #expect(
                results == [
                    [
                        "spf": "pass", "dkim": isFriend ? "pass" : "none", "arc": "none",
                        "dmarc": verdict,
                    ]
                ], "\(message.text)")
            #expect(!message.text.contains("planted"))
            // What others have said under their own names is nobody's business here.
            #expect(message.values(of: "Authentication-Results").count == 2)
            #expect(message.values(of: "Received-SPF").count == 1)
            #expect(message.values(of: "Received-SPF").first?.hasPrefix(" Pass ") == true)
        }
    }

    @Test func `failures are refused where the postmaster says so`() throws {
        let host = try SuiteHost(SuiteHost.Treatment(rejectsFailures: true))
        let forged = SuiteMail.incoming("forged", author: "eve@friend.example")
        let reply = try host.deliver(forged, from: "x@forger.example", at: "203.0.113.1")
        #expect(reply.code == 550)
        #expect(reply.lines.first?.hasPrefix("5.7.26 rejected by DMARC policy") == true, "\(reply)")
    }

    @Test func `the sockets are for Postfix alone`() throws {
        let host = try SuiteHost()
        for daemon in host.daemons {
            let connect =
                "import socket; socket.socket(socket.AF_UNIX).connect('\(daemon.path)')"
            let stranger = try Command.run(
                "setpriv",
                [
                    "--reuid=nobody", "--regid=nogroup", "--clear-groups", "/usr/bin/python3", "-c",
                    connect,
                ])
            #expect(stranger.errors.contains("Permission denied"), "\(daemon.name)")
            let postfix = try Command.run(
                "setpriv",
                [
                    "--reuid=postfix", "--regid=postfix", "--init-groups", "/usr/bin/python3", "-c",
                    connect,
                ])
            #expect(postfix.succeeded, "\(daemon.name): \(postfix.errors)")
        }
    }

    /// What Postfix does with mail while a daemon is not there, and its socket neither.
    @Test(arguments: ["tempfail", "reject", "accept", "quarantine"])
    func `without a daemon the default action holds`(action: String) throws {
        let host = try SuiteHost(SuiteHost.Treatment(defaultAction: action))
        for daemon in [host.dmarc, host.scrub] {
            try daemon.stop()
            daemon.closeSocket()
        }
        let forged = SuiteMail.incoming("in", author: "eve@friend.example")
        let incoming = try host.deliver(forged, from: "x@forger.example", at: "203.0.113.1")
        let outgoing = try? host.submit(SuiteMail.submission("out"))
        switch action {
        case "tempfail", "reject":
            #expect(incoming.code == (action == "reject" ? 554 : 451), "\(incoming)")
            // Dovecot passes the refusal on, or ends the session when Postfix greets it with one.
            #expect(outgoing.map { !$0.isPositive } ?? true, "\(outgoing as Any)")
            #expect(try host.postfix.queue().isEmpty)
            #expect(host.sink.messages.isEmpty)
        case "accept":
            #expect(incoming.code == 250)
            let message = try host.waitForMailbox(1)[0]
            // signet-dkim was there: it believes nobody, and found no signature to tell of.
            #expect(SuiteMail.results(message).isEmpty, "\(message.text)")
            #expect(outgoing?.code == 250)
            let sent = try host.sink.waitForMessage(containing: "Subject: out")
            #expect(SuiteMail.scrubbed(sent) == .none && SuiteMail.signed(sent) == .all)
        default:
            #expect(incoming.code == 250)
            #expect(outgoing?.code == 250)
            let held = try wait(for: "two messages on hold") {
                let held = try host.postfix.queue().filter { $0.queueName == "hold" }
                return held.count == 2 ? held : nil
            }
            #expect(Set(held.map(\.sender)) == ["x@forger.example", SuiteHost.user])
            #expect(host.sink.messages.isEmpty)
        }
    }
}
