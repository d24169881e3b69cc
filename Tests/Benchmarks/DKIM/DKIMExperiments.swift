internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import TestKit

/// What is measured of signet-dkim.
enum DKIMExperiments {
    static let all: Experiments = [
        "costs": { try Costs.run(rounds: 9, count: 1000) },
        "large": { try LargeMessage.run() },
        "memory": { try memory(counts: [10_000]) },
        "flat": { try memory(counts: [10_000, 100_000]) },
        "startup": { try startup(rounds: 15) },
        "tcp": { try OverTCP.run(messages: 100) },
        "idle": { try Idle.run(seconds: 20, connections: 8) },
        "queue": { try queue(rounds: 3) },
        "profile": { try profile(count: 10_000) },
    ]

    private static func memory(counts: [Int]) throws {
        let bench = try Bench()
        try Memory.run(
            [try bench.signer(bench.keys.rsa), try bench.verifier()], counts: counts, atMost: 9)
    }

    private static func startup(rounds: Int) throws {
        let keys = try Keys()
        try Startup.run("signet-dkim", keys.directives(keys.rsa), rounds: rounds)
    }

    private static func profile(count: Int) throws {
        let bench = try Bench()
        try Profile.run(
            [try bench.null(), try bench.signer(bench.keys.ed25519), try bench.verifier()],
            count: count)
    }

    /// Those that wait have a key under a name of its own that is never answered.
    private static func queue(rounds: Int) throws {
        let keys = try Keys()
        let server = try ScriptedDNSServer(ZoneResolver(parsing: keys.zone, origin: .root))
        defer { server.stop() }
        let directory = try TemporaryDirectory("signet-queue")
        let socket = directory.file("socket")
        let daemon = try DaemonProcess(
            "signet-dkim",
            configuration: """
                Nameservers 127.0.0.1@\(server.nameserver.port)
                DNSTimeout 2
                On-DNSError accept
                Socket unix:\(socket)
                """,
            directory: directory)
        defer { daemon.kill() }
        let quick = Transcript.Mail(message: try Mail.signed(Mail.ordinary, with: keys.rsa))
        try HeadOfLine.run(rounds: rounds, socket: socket, quick: quick) { label in
            let selector = try DomainName(label)
            server.set(
                .drop, for: try keys.rsa.domain.prepending("_domainkey").prepending(label))
            let key = SigningKey(domain: keys.rsa.domain, selector: selector, key: keys.rsa.key)
            return Transcript.Mail(message: try Mail.signed(Mail.ordinary, with: key))
        }
    }
}
