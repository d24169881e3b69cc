import Glibc
import Synchronization
import TestKit
import Testing

/// What becomes of mail when `signet-dkim` dies, is reloaded or restarted: none of it is lost, none
/// leaves unsigned.
@Suite(.serialized)
struct SignerFailureTests {
    @Test func killedInTheMiddleOfAMessage() throws {
        let host = try SigningHost()
        let first = try host.startDaemon()
        let client = try host.postfix.connect()
        try client.ehlo()
        try client.require("MAIL FROM:<ann@example.org>")
        try client.require("RCPT TO:<bob@example.com>")
        try client.require("DATA")
        let stuffed = SMTPClient.stuffed(SigningHost.message("cut"))
        try client.send(Array(stuffed.prefix(60)))
        first.kill()
        try client.send(Array(stuffed.dropFirst(60)))
        // Stock Postfix: milter_default_action = tempfail. The client keeps the message.
        let refusal = try client.reply()
        #expect([421, 451].contains(refusal.code), "\(refusal)")
        // Postfix 3.10 has ended the connection: the action is shutdown there.
        if refusal.code == 451 { try client.quit() }

        // Mail of sendmail(1) waits in the queue while there is no daemon.
        let text = SigningHost.message("waiting").filter { $0 != UInt8(ascii: "\r") }
        try host.postfix.sendmail(["-f", "ann@example.org", "bob@example.com"], text)
        try host.postfix.waitForLogLine("connect to Milter service")
        #expect(host.sink.messages.isEmpty)

        let second = try host.startDaemon()
        let again = try host.postfix.connect()
        try again.ehlo()
        let reply = try again.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message("cut"))
        #expect(reply.code == 250)
        try host.expectTwoGoodSignatures(host.sink.waitForMessage(containing: "cut@example.org"))
        // pickup(8) looks again once a minute, or when it is woken.
        try host.postfix.sendmail(["-f", "ann@example.org", "bob@example.com"], text)
        let waited = try host.sink.waitForMessages(3)
            .filter { $0.text.contains("waiting@example.org") }
        #expect(waited.count == 2)
        for message in waited { try host.expectTwoGoodSignatures(message) }
        try again.quit()
        #expect(try second.stop() == .exited(0), "\(second.log)")
    }

    /// systemd holds the socket; the daemon is reloaded with a good and a bad configuration and
    /// restarted, while two clients deliver without a pause.
    @Test func reloadedAndRestartedUnderLoad() throws {
        let host = try SigningHost()
        let socket = try LoopbackSocket.listen(path: host.postfix.socketPath("dkim"))
        var daemon = try host.startDaemon(socket: socket)

        let load = Load(host.postfix, clients: 2)
        usleep(500_000)
        for round in 1...3 {
            let path = daemon.directory.file("signet-dkim.conf")
            try daemon.directory.write(host.configuration("Canonicalization relaxed"), to: "new")
            try Command.require("mv", [daemon.directory.file("new"), path])
            daemon.send(SIGHUP)
            usleep(300_000)
            try daemon.directory.write("Canonicalisation relaxed\n", to: "signet-dkim.conf")
            daemon.send(SIGUSR1)
            try daemon.waitForLogLine("Canonicalisation")
            #expect(try daemon.stop(seconds: 30) == .exited(0), "round \(round): \(daemon.log)")
            daemon = try host.startDaemon(socket: socket)
            usleep(300_000)
        }
        let (delivered, refusals) = load.stop()
        #expect(refusals.isEmpty)
        #expect(delivered > 20)
        let messages = try host.sink.waitForMessages(delivered)
        #expect(messages.count == delivered)
        let subjects = Set(messages.map { $0.values(of: "Message-ID") })
        #expect(subjects.count == delivered, "each message once")
        #expect(messages.allSatisfy { $0.values(of: "DKIM-Signature").count == 2 })
        try host.expectTwoGoodSignatures(messages[0])
        try host.expectTwoGoodSignatures(messages[delivered - 1])
        #expect(try daemon.stop() == .exited(0), "\(daemon.log)")
    }
}

/// Clients that deliver one message after the other, each on a connection of its own.
private final class Load: Sendable {
    private let isStopping = Atomic(false)
    private let counts = Mutex<(delivered: Int, refusals: [String], running: Int)>((0, [], 0))

    init(_ postfix: PostfixInstance, clients: Int) {
        counts.withLock { $0.running = clients }
        for number in 1...clients {
            BackgroundThread.start { self.deliver(to: postfix, as: number) }
        }
    }

    /// Ends the load; returns how many messages were taken, and what was said to the others.
    func stop() -> (delivered: Int, refusals: [String]) {
        isStopping.store(true, ordering: .relaxed)
        while counts.withLock({ $0.running > 0 }) { usleep(10_000) }
        return counts.withLock { ($0.delivered, $0.refusals) }
    }

    private func deliver(to postfix: PostfixInstance, as client: Int) {
        var number = 0
        while !isStopping.load(ordering: .relaxed) {
            number += 1
            let outcome = Result { try deliverOne(to: postfix, "load-\(client)-\(number)") }
            counts.withLock { counts in
                switch outcome {
                case .success(let reply) where reply.code == 250: counts.delivered += 1
                case .success(let reply): counts.refusals.append("\(reply)")
                case .failure(let error): counts.refusals.append("\(error)")
                }
            }
        }
        counts.withLock { $0.running -= 1 }
    }

    private func deliverOne(to postfix: PostfixInstance, _ name: String) throws -> SMTPReply {
        let client = try postfix.connect()
        try client.ehlo()
        let reply = try client.deliver(
            from: "ann@example.org", to: ["bob@example.com"], SigningHost.message(name))
        try client.quit()
        return reply
    }
}
