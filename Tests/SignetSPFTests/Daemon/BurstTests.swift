import MailDNS
import MailSyntax
import TestKit
import Testing

@testable import signet_spf

/// Questions about senders whose mail exchangers do not answer, more than the resolver can have
/// under way, and what becomes of forgeries of another domain meanwhile.
///
/// A forgery that is put off has not been accepted: RFC 7208, section 2.6.6, leaves a "temperror" to
/// the receiver, and the sender must not be able to bring one about.
@Suite(.serialized)
struct BurstTests {
    private static let requests = 220

    /// Senders with ten mail exchangers, each in a domain of its own that never answers; and a
    /// domain whose policy takes two questions.
    private static func zone() throws -> ZoneResolver {
        var text = """
            victim.example. IN TXT "v=spf1 include:_spf.victim.example -all"
            _spf.victim.example. IN TXT "v=spf1 ip4:198.51.100.7 -all"

            """
        for sender in 0..<requests {
            text += "s\(sender).evil.example. IN TXT \"v=spf1 mx -all\"\n"
            for host in 0..<10 {
                text += "s\(sender).evil.example. IN MX 10 n\(sender)x\(host).silent.\n"
            }
        }
        return try ZoneResolver(parsing: text)
    }

    /// Sends all requests, and returns when so many questions stand unanswered.
    private func burst(
        _ daemon: RunningDaemon, questions: Int, client: (Int) -> String
    ) throws -> [PolicyClient] {
        daemon.dns.setSilent(below: try DomainName("silent"))
        let clients = try (0..<Self.requests).map { sender in
            let connection = try daemon.connect()
            try connection.send(
                PolicyClient.question(
                    from: "x@s\(sender).evil.example", helo: "s\(sender).evil.example",
                    client: client(sender)))
            return connection
        }
        _ = try wait(for: "the questions of the burst", seconds: 60) {
            let names = Set(daemon.dns.queries.map(\.name.ascii))
            return names.count { $0.hasSuffix(".silent") } >= questions ? true : nil
        }
        return clients
    }

    @Test func `a client that has all it may ask under way takes nothing from others`() throws {
        let daemon = try RunningDaemon(zone: Self.zone())
        let attacker = "203.0.113.9"
        let clients = try burst(daemon, questions: 100) { _ in attacker }
        let other = try daemon.connect()
        #expect(try other.ask(from: "ceo@victim.example")?.hasPrefix("550 5.7.23") == true)
        // Its own forgery is refused or put off, whatever it has done to the resolver.
        try other.send(
            PolicyClient.question(from: "ceo@victim.example", client: attacker, instance: "2"))
        let answer = try #require(try other.answer())
        #expect(answer.hasPrefix("550") || answer.hasPrefix("defer_if_permit"), "\(answer)")
        withExtendedLifetime(clients) {}
    }

    @Test func `many clients together do not have a forgery accepted`() throws {
        let daemon = try RunningDaemon(zone: Self.zone())
        let clients = try burst(daemon, questions: 600) { "203.0.113.\($0)" }
        let other = try daemon.connect()
        for instance in 0..<5 {
            let answer = try #require(
                try other.ask(from: "ceo@victim.example", instance: "\(instance)"))
            #expect(answer.hasPrefix("550") || answer.hasPrefix("defer_if_permit"), "\(answer)")
        }
        withExtendedLifetime(clients) {}
    }
}
