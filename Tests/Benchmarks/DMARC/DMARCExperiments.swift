internal import MailAuth
internal import MailDNS
internal import MailSyntax
internal import TestKit

/// What is measured of signet-dmarc.
enum DMARCExperiments {
    static let all: Experiments = [
        "costs": { try costs(rounds: 9, count: 1000) },
        "memory": { try memory(counts: [10_000]) },
        "flat": { try memory(counts: [10_000, 100_000]) },
        "queue": { try queue(rounds: 3) },
        "profile": { try profile(count: 10_000) },
    ]

    /// CPU time of one 2 kB message, in rounds of `count` messages for each program, one after another.
    private static func costs(rounds: Int, count: Int) throws {
        let bench = try DMARCBench()
        var subjects = [try bench.null(), try bench.ours(), try bench.ours("ReportStore none")]
        if let peer = try bench.peer() { subjects.append(peer) }
        var costs = subjects.map { _ in [Double]() }
        for _ in 0..<rounds {
            for index in subjects.indices {
                costs[index].append(try subjects[index].cost(of: count))
            }
        }
        let own = costs.map { cost in zip(cost, costs[0]).map { $0 - $1 } }
        Report.table(["2 kB message, 8 connections", "CPU µs", "above the null filter"]) {
            for index in subjects.indices {
                Report.row(subjects[index].name, costs[index].median, own[index].median)
            }
        }
        Report.limit(
            "signet-dmarc, SPF, DKIM and DMARC together: µs above the null filter", own[1].median,
            atMost: 60)
    }

    private static func memory(counts: [Int]) throws {
        try Memory.run([try DMARCBench().ours()], counts: counts, atMost: 12)
    }

    private static func profile(count: Int) throws {
        let bench = try DMARCBench()
        try Profile.run([try bench.null(), try bench.ours()], count: count)
    }

    /// Those that wait are from domains whose SPF and DMARC records are never answered.
    private static func queue(rounds: Int) throws {
        let keys = try Keys()
        let server = try ScriptedDNSServer(
            ZoneResolver(parsing: DMARCBench.zone(keys), origin: .root))
        defer { server.stop() }
        let directory = try TemporaryDirectory("signet-queue")
        let socket = directory.file("socket")
        let daemon = try DaemonProcess(
            "signet-dmarc",
            configuration: """
                Nameservers 127.0.0.1@\(server.nameserver.port)
                DNSTimeout 2
                ReportStore none
                Socket unix:\(socket)

                """,
            directory: directory)
        defer { daemon.kill() }
        let quick = try DMARCBench.mail(keys)
        try HeadOfLine.run(rounds: rounds, socket: socket, quick: quick) { label in
            let domain = try DomainName("\(label).dead.example")
            server.set(.drop, for: domain)
            server.set(.drop, for: try domain.prepending("_dmarc"))
            var mail = quick
            mail.sender = "<x@\(domain)>"
            for index in mail.message.fields.indices
            where mail.message.fields[index].name == "From" {
                mail.message.fields[index].value = Array(" x@\(domain)".utf8)
            }
            return mail
        }
    }
}
