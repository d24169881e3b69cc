internal import MailDNS
internal import TestKit

/// What the worst message of one megabyte costs.
enum WorstExperiments {
    static let all: Experiments = [
        "signatures": { try measure("signet-dkim", signatures: 8, sets: 0, "dkim=fail") },
        "chain": { try measure("signet-dmarc", signatures: 8, sets: 10, "arc=pass") },
        "long": { try measure("signet-dmarc", signatures: 8, sets: 50, "arc=") },
    ]

    private static func measure(
        _ daemon: String, signatures: Int, sets: Int, _ proof: String
    ) throws {
        // signet-dkim refuses a header section of more than MaximumHeaders, 64 kB.
        let worst =
            daemon == "signet-dkim"
            ? try WorstMessage(
                signatures: signatures, header: 60_000, fieldCount: 20, body: 910_000)
            : try WorstMessage(
                signatures: signatures + sets, header: 972_000, fieldCount: 990, body: 10)
        let message = try worst.message(signatures: signatures, sets: sets)
        let server = try NSDServer(worst.zone())
        let own = try TemporaryDirectory("signet-worst")
        let process = try DaemonProcess(
            daemon,
            configuration: """
                Nameservers 127.0.0.1@\(server.nameserver.port)
                Socket unix:\(own.file("socket"))
                SyslogSuccess no
                \(daemon == "signet-dmarc" ? "ReportStore none" : "")

                """,
            directory: own)
        defer { process.kill() }
        let size = message.fields.reduce(message.body.count) {
            $0 + $1.name.utf8.count + $1.value.count + 3
        }
        let subject = Subject(
            name: daemon, socket: own.file("socket"), meter: ProcessMeter(pid: process.pid),
            mail: Transcript.Mail(message: message), proof: proof, owner: process)
        // The keys are then known.
        try Load.deliver(4, to: subject, connections: 1)
        let costs = try (0..<9).map { _ in try subject.cost(of: 4, connections: 1) / 1000 }
        Report.limit(
            "\(daemon), \(signatures) signatures and \(sets) ARC sets in \(size) octets: CPU ms",
            costs.median, atMost: 100)
    }
}
