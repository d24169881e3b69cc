internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import TestKit

/// What others wait for while 40 sessions wait for a DNS that does not answer.
///
/// All sessions end their messages at the same instants: libmilter's pool, as Debian builds it, then
/// queues events behind threads that wait.
enum HeadOfLine {
    static func run(rounds: Int, sessions: Int = 40) throws {
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
        let warm = try MilterLine(socket, quick)
        try warm.deliver()
        warm.quit()

        var waits: [Double] = []
        var stuckWaits: [Double] = []
        for round in 0..<rounds {
            let stuck = try (0..<sessions).map { index in
                try MilterLine(socket, stuckMail(keys, server, "r\(round)s\(index)"))
            }
            let others = try (0..<sessions).map { _ in try MilterLine(socket, quick) }
            // Both kinds at once, one of each in turn.
            for (one, other) in zip(stuck, others) {
                try one.begin()
                try other.begin()
            }
            try follow(others, busyUntil: stuck, &waits, &stuckWaits)
            for line in stuck + others { line.quit() }
        }
        let name = "s that a message waits beside \(sessions) on dead DNS"
        Report.limit("\(name), p99", waits.percentile(0.99), atMost: 0.2)
        Report.limit("\(name), worst", waits.max() ?? .nan, atMost: 0.5)
        Report.write("- \(waits.count) messages; those on dead DNS took \(stuckWaits.median) s")
    }

    /// A message whose key is under a name of its own that is never answered.
    private static func stuckMail(
        _ keys: Keys, _ server: ScriptedDNSServer, _ label: String
    ) throws -> Transcript.Mail {
        let selector = try DomainName(label)
        server.set(.drop, for: try keys.rsa.domain.prepending("_domainkey").prepending(label))
        let key = SigningKey(domain: keys.rsa.domain, selector: selector, key: keys.rsa.key)
        return Transcript.Mail(message: try Mail.signed(Mail.ordinary, with: key))
    }

    /// Goes on sending on the quick lines, all at the same instants, until the stuck ones have ended.
    private static func follow(
        _ others: [MilterLine], busyUntil stuck: [MilterLine], _ waits: inout [Double],
        _ stuckWaits: inout [Double]
    ) throws {
        let start = wallMicroseconds()
        var begun = start
        var waiting = Set(others.map(\.descriptor))
        var left = Set(stuck.map(\.descriptor))
        while !left.isEmpty || !waiting.isEmpty {
            let all = (others + stuck).filter {
                waiting.contains($0.descriptor) || left.contains($0.descriptor)
            }
            for line in try Load.wait(for: all, seconds: 0.05) where try line.advance() {
                let now = wallMicroseconds()
                if left.remove(line.descriptor) != nil {
                    stuckWaits.append((now - start) / 1e6)
                } else {
                    waiting.remove(line.descriptor)
                    waits.append((now - begun) / 1e6)
                }
            }
            if waiting.isEmpty, !left.isEmpty, wallMicroseconds() - begun > 100_000 {
                begun = wallMicroseconds()
                for line in others { try line.begin() }
                waiting = Set(others.map(\.descriptor))
            }
        }
    }
}
