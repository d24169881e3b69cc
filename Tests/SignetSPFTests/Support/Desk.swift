import Configuration
import DaemonKit
import MailDNS
import MailSyntax
import PolicyProtocol
import Testing

@testable import signet_spf

/// A configuration as the daemon reads it, with everything that was found.
func read(
    _ text: String
) -> (configuration: SPFConfiguration, problems: [ConfigurationProblem]) {
    let reader = ConfigurationReader(
        schema: SignetSPF.description.schema, text: text, named: "spf.conf")
    return (SPFConfiguration(reading: reader), reader.problems)
}

/// The DNS of all tests here: a domain for each result, and the names that exemptions ask for.
enum World {
    /// Clients at 192.0.2.1 get the result that the domain is called after.
    static let zone = """
        pass.example.       IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
        fail.example.       IN TXT "v=spf1 ip4:198.51.100.7 -all"
        softfail.example.   IN TXT "v=spf1 ip4:198.51.100.7 ~all"
        neutral.example.    IN TXT "v=spf1 ?all"
        nomail.example.     IN TXT "v=spf1 -all"
        permerror.example.  IN TXT "v=spf1 everyone -all"
        none.example.       IN A   192.0.2.99
        voids.example.      IN TXT "v=spf1 a:v1.none.example a:v2.none.example a:v3.none.example +all"
        explains.example.   IN TXT "v=spf1 exp=why.explains.example -all"
        why.explains.example. IN TXT "See https://explains.example/%{i} for help"
        forwarder.example.  IN TXT "v=spf1 ip4:203.0.113.0/24 -all"
        relay.example.      IN A   203.0.113.5
        relay.example.      IN AAAA 2001:db8::5
        liar.example.       IN A   203.0.113.66
        6.113.0.203.in-addr.arpa. IN PTR out.hosts.example.
        out.hosts.example.  IN A   203.0.113.6
        7.113.0.203.in-addr.arpa. IN PTR forged.hosts.example.
        forged.hosts.example. IN A 203.0.113.70
        8.113.0.203.in-addr.arpa. IN PTR evilhosts.example.
        evilhosts.example.  IN A   203.0.113.8
        """

    /// A resolver that knows the zone; "temperror.example" is never answered.
    static func resolver() throws -> ZoneResolver {
        var resolver = try ZoneResolver(parsing: zone)
        resolver.fail(
            try DomainName("temperror.example"), .txt, with: .serverFailure(responseCode: 2))
        return resolver
    }
}

/// One connection of Postfix to the engine, without a process or a socket.
final class Desk {
    private let configuration: SPFConfiguration
    private let engine: PolicyEngine
    private var memory = ConnectionMemory()
    /// Everything that was logged.
    private(set) var log: [String] = []

    init(_ text: String = "", resolver: (any DNSResolver)? = nil) throws {
        let (configuration, problems) = read(text)
        try #require(!problems.hasErrors, "\(problems)")
        self.configuration = configuration
        engine = PolicyEngine(resolver: try resolver ?? World.resolver())
    }

    /// Asks a question: HELO name, sender and recipient of a client at 192.0.2.1, unless said otherwise.
    func ask(
        helo: String = "none.example", from sender: String = "user@none.example",
        to recipient: String = "to@mx.example", client: String = "192.0.2.1",
        instance: String = "1.2.0", stage: String = "RCPT", _ more: [String: String] = [:]
    ) -> String {
        var request = PolicyRequest()
        let values: [PolicyRequest.Attribute: String] = [
            .stage: stage, .clientAddress: client, .helo: helo, .sender: sender,
            .recipient: recipient, .instance: instance,
        ]
        for (attribute, value) in values { request[attribute] = Array(value.utf8) }
        for (name, value) in more {
            guard let attribute = PolicyRequest.Attribute(rawValue: name) else { continue }
            request[attribute] = Array(value.utf8)
        }
        let answer = engine.answer(request, &memory, configuration)
        log += answer.lines.map(\.text)
        return answer.action.text
    }
}
