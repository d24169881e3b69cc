internal import Foundation
internal import MailAuth
internal import MailCrypto
internal import MailDNS
internal import MailSyntax
internal import TestKit
internal import Threads

/// Whether mail whose keys, seals and mail exchangers stand on silent servers keeps the resolvers
/// from answering for other mail.
enum BlindingExperiment {
    static let all: Experiments = [
        "silence": { try Blinding().run(seconds: 60) },
        // More than the daemons take on: what is not decided then is deferred, never delivered.
        "flood": { try Blinding(attacksPerMinute: 1200, isFlood: true).run(seconds: 60) },
    ]
}

/// An attack on the resolvers of signet-dkim, signet-dmarc and signet-spf, beside other mail.
private final class Blinding: Sendable {
    /// How many hostile messages, and questions to the policy service, come in a minute.
    private let attacksPerMinute: Double
    /// Whether so many come that other messages may be deferred.
    private let isFlood: Bool
    /// How many other messages come in a second: genuine ones and forgeries by turns, each of a
    /// domain of its own.
    private static let othersPerSecond = 4.0
    /// The longest that another message may wait for its verdict, in seconds.
    private static let patience = 2.0

    /// What came of the other messages, to one daemon.
    private struct Tally: Sendable {
        var count = 0
        var wrong: [String] = []
        var seconds: [Double] = []
    }

    private let directory: TemporaryDirectory
    private let server: ScriptedDNSServer
    private let daemons: [DaemonProcess]
    private let key: PrivateKey
    private let tallies = Locked<[String: Tally]>([:])
    private let underWay = Locked(0)

    private static let dead = "silent.example"

    init(attacksPerMinute: Double = 50, isFlood: Bool = false) throws {
        self.attacksPerMinute = attacksPerMinute
        self.isFlood = isFlood
        directory = try TemporaryDirectory("signet-benchmark")
        key = try .generateEd25519()
        let record = "v=DKIM1; k=ed25519; p=" + Base64.encode(key.publicKey.recordOctets)
        var zone = ""
        for index in 0..<600 {
            zone += """
                d\(index).good.example. TXT "v=spf1 ip4:192.0.2.1 -all"
                s._domainkey.d\(index).good.example. TXT "\(record)"
                _dmarc.d\(index).good.example. TXT "v=DMARC1; p=reject; psd=n"

                """
            // The record of a sender with ten mail exchangers, none of which anybody knows.
            zone += "a\(index).evil.example. TXT \"v=spf1 mx -all\"\n"
            for host in 0..<10 {
                zone += "a\(index).evil.example. MX 10 h\(host).a\(index).\(Self.dead).\n"
            }
        }
        server = try ScriptedDNSServer(try ZoneResolver(parsing: zone))
        server.setSilent(below: try DomainName(Self.dead))
        let port = server.nameserver.port
        daemons = try ["dkim", "dmarc", "spf"].map { [directory] name in
            let configuration = """
                Nameservers 127.0.0.1@\(port)
                Socket unix:\(directory.file(name))

                """
            let own = [
                "dkim": "Mode v\nOn-BadSignature reject\nOn-NoSignature reject\n",
                "dmarc": "RejectFailures yes\nReportStore none\n",
                "spf": isFlood ? "TempError_Defer yes\n" : "",
            ]
            return try DaemonProcess(
                "signet-\(name)", configuration: configuration + (own[name] ?? ""))
        }
    }

    /// Sends both kinds of mail for so many seconds, waits for all verdicts and reports.
    func run(seconds: Double) throws {
        let start = MonotonicTime.now()
        var attacks = 0
        var others = 0
        while MonotonicTime.now().seconds(since: start) < seconds {
            let now = MonotonicTime.now().seconds(since: start)
            while Double(attacks) < now * attacksPerMinute / 60 {
                attack(attacks)
                attacks += 1
            }
            while Double(others) < now * Self.othersPerSecond {
                send(other: others)
                others += 1
            }
            usleep(5_000)
        }
        _ = try wait(for: "the last verdict", seconds: 120) {
            underWay.withLock { $0 == 0 ? true : nil }
        }
        Report.write(
            "\(attacks) hostile messages, \(others) others; \(server.queries.count) packets\n")
        for (name, tally) in tallies.withLock({ $0 }).sorted(by: { $0.key < $1.key }) {
            Report.write(
                "\(name): \(tally.count) other messages, median "
                    + "\(Report.round(tally.seconds.median)) s")
            Report.limit("\(name): wrong verdicts", Double(tally.wrong.count), atMost: 0)
            for example in tally.wrong.prefix(3) { Report.write("  \(example)") }
            if isFlood { continue }
            Report.limit(
                "\(name): longest wait in seconds", tally.seconds.max() ?? .infinity,
                atMost: Self.patience)
        }
        server.stop()
        for daemon in daemons { daemon.kill() }
    }

    /// Does something on a thread of its own.
    private func inBackground(_ body: @escaping @Sendable () -> Void) {
        underWay.withLock { $0 += 1 }
        BackgroundThread.start { [self] in
            body()
            underWay.withLock { $0 -= 1 }
        }
    }

    // MARK: The attack

    /// One hostile message to both milters, and one question to the policy service.
    private func attack(_ number: Int) {
        let message = hostile(number)
        var envelope = TestKit.Envelope()
        envelope.clientAddress = "198.51.\(number % 250).\(number % 200 + 1)"
        envelope.mail = ["<x@a\(number % 600).evil.example>"]
        for name in ["dkim", "dmarc"] {
            inBackground { [self, envelope] in
                var mta = FakeMTA(.unix(directory.file(name)))
                mta.timeout = 100
                _ = try? mta.deliver(message, envelope)
            }
        }
        inBackground { [self] in
            _ = try? ask(client: "198.51.100.1", sender: "x@a\(number % 600).evil.example")
        }
    }

    /// A message with eight signatures and fifty ARC sets, each key in a zone of its own on a
    /// silent server.
    private func hostile(_ number: Int) -> MailMessage {
        let hash = "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; b=AAAA"
        var fields: [MailMessage.Field] = []
        for instance in (1...50).reversed() {
            let domain = "\(instance).m\(number).\(Self.dead)"
            let status = instance == 1 ? "none" : "pass"
            fields += [
                .init(
                    "ARC-Seal",
                    " i=\(instance); a=rsa-sha256; cv=\(status); d=s\(domain); s=s; b=AAAA"),
                .init(
                    "ARC-Message-Signature",
                    " i=\(instance); a=rsa-sha256; c=relaxed/relaxed; d=a\(domain); s=s; h=from; \(hash)"
                ),
                .init("ARC-Authentication-Results", " i=\(instance); mx.example"),
            ]
        }
        for index in 0..<8 {
            fields.append(
                .init(
                    "DKIM-Signature",
                    " v=1; a=rsa-sha256; c=relaxed/relaxed; d=d\(index).m\(number).\(Self.dead); "
                        + "s=s; h=from; \(hash)"))
        }
        var message = MailMessage("From: x@m\(number).\(Self.dead)\n\n\n")
        message.fields = fields + message.fields
        return message
    }

    // MARK: Other mail

    /// A genuine message or a forgery, to all three.
    private func send(other number: Int) {
        let domain = "d\(number % 600).good.example"
        let isGenuine = number.isMultiple(of: 2)
        var envelope = TestKit.Envelope()
        envelope.clientAddress = isGenuine ? "192.0.2.1" : "203.0.113.9"
        envelope.mail = ["<ann@\(domain)>"]
        guard let message = try? genuine(domain) else { return }
        var altered = message
        altered.body = Array("Another text.\r\n".utf8)
        for name in ["dkim", "dmarc"] {
            inBackground { [self, envelope, altered] in
                var mta = FakeMTA(.unix(directory.file(name)))
                mta.timeout = 100
                judge(name, domain, isGenuine) {
                    let outcome = try mta.deliver(isGenuine ? message : altered, envelope)
                    let results = outcome.message.values("Authentication-Results").joined()
                    return (
                        outcome.decision == .accepted && results.contains("\(name)=pass"),
                        outcome.decision != .accepted && outcome.decision != .tempfailed
                            && !"\(outcome.decision)".contains("4."),
                        outcome.decision != .accepted, "\(outcome.decision) \(results)"
                    )
                }
            }
        }
        inBackground { [self] in
            judge("spf", domain, isGenuine) {
                let answer = try ask(
                    client: isGenuine ? "192.0.2.1" : "203.0.113.9", sender: "ann@\(domain)")
                return (
                    answer.hasPrefix("action=PREPEND Received-SPF: Pass"),
                    answer.hasPrefix("action=550"), answer.hasPrefix("action=451"), answer
                )
            }
        }
    }

    /// Notes whether a verdict is right, and how long it took.
    private func judge(
        _ name: String, _ domain: String, _ isGenuine: Bool,
        _ body: () throws -> (
            isAccepted: Bool, isRefused: Bool, isDeferred: Bool, words: String
        )
    ) {
        let start = MonotonicTime.now()
        let (isRight, words): (Bool, String)
        do {
            let verdict = try body()
            let isDone = isGenuine ? verdict.isAccepted : verdict.isRefused
            isRight = isDone || isFlood && verdict.isDeferred && !verdict.isAccepted
            words = verdict.words
        } catch {
            (isRight, words) = (false, "\(error)")
        }
        let seconds = MonotonicTime.now().seconds(since: start)
        tallies.withLock { tallies in
            tallies[name, default: Tally()].count += 1
            tallies[name]?.seconds.append(seconds)
            if !isRight {
                tallies[name]?.wrong.append(
                    "\(isGenuine ? "genuine" : "forged") \(domain): \(words)")
            }
        }
    }

    private func genuine(_ domain: String) throws -> MailMessage {
        let message = MailMessage(
            """
            From: Ann <ann@\(domain)>
            To: bob@example.org
            Subject: Hello
            Date: Sat, 21 Nov 2026 08:00:00 +0000
            Message-ID: <1@\(domain)>

            Hello.

            """)
        let name = try DomainName(domain)
        return try Mail.signed(
            message, with: SigningKey(domain: name, selector: try DomainName("s"), key: key))
    }

    /// Asks the policy service about a sender.
    private func ask(client: String, sender: String) throws -> String {
        let socket = try LoopbackSocket.connect(path: directory.file("spf"))
        let domain = sender.split(separator: "@").last ?? ""
        try socket.write(
            Array(
                """
                request=smtpd_access_policy
                protocol_state=RCPT
                protocol_name=ESMTP
                client_address=\(client)
                client_name=unknown
                helo_name=mail.\(domain)
                sender=\(sender)
                recipient=bob@example.org
                instance=\(UInt64.random(in: 0...UInt64.max))


                """.utf8))
        var answer: [UInt8] = []
        while answer.suffix(2) != [10, 10] {
            let octets = try socket.read()
            guard !octets.isEmpty else { throw TestKitError("the connection was closed") }
            answer += octets
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
