import TestKit
import Testing

/// Two hosts that forward to each other, and take the traces of that away: it ends all the same.
@Suite(.serialized)
struct ScrubLoopTests {
    /// Each host's rules.
    static let rules = [
        "Remove Received", "Replace Received", "ReplaceOwnReceived yes\nRemove Received",
    ]

    @Test(arguments: rules)
    func aLoopEnds(rules: String) throws {
        let hosts = try ["a.example.org", "b.example.org"].map {
            try PostfixInstance(Self.configuration($0))
        }
        let daemons = try hosts.map { host in
            try DaemonProcess(
                "signet-scrub",
                configuration: "\(rules)\nInternalHosts 127.0.0.1\n"
                    + "Socket unix:\(host.socketPath("scrub"))\n")
        }
        for (host, next) in zip(hosts, hosts.reversed()) {
            try host.start()
            var configuration = host.configuration
            configuration.relayPort = try next.port()
            try host.reload(configuration)
        }
        let client = try hosts[0].connect()
        try client.ehlo()
        let reply = try client.deliver(
            from: "", to: ["b@example.com"], Array("Subject: around\r\n\r\n".utf8))
        #expect(reply.code == 250)
        let line = try wait(for: "the end of the loop", seconds: 60) {
            hosts.map(\.log).joined().split(separator: "\n")
                .first { $0.contains("too many hops") }
        }
        // Where each field is replaced by one, Postfix itself counts them.
        let isCountedByPostfix = rules == "Replace Received"
        #expect(line.contains(isCountedByPostfix ? "5.4.0" : "5.4.6"), "\(line)")
        _ = try wait(for: "empty queues") {
            try hosts.allSatisfy { try $0.queue().isEmpty } ? true : nil
        }
        let passes = hosts.map {
            $0.log.split(separator: "\n").filter { $0.contains("status=sent") }.count
        }
        #expect((45...55).contains(passes[0] + passes[1]), "\(passes)")
        withExtendedLifetime(daemons) {}
    }

    private static func configuration(_ name: String) -> PostfixConfiguration {
        var configuration = PostfixConfiguration()
        configuration.hostName = name
        configuration.settings["smtpd_milters"] = "unix:signet/scrub.sock"
        configuration.settings["relay_domains"] = "example.com"
        return configuration
    }
}
