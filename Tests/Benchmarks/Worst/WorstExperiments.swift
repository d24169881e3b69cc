internal import MailDNS
internal import TestKit

/// What the worst message of one megabyte costs.
enum WorstExperiments {
    static let all: Experiments = [
        "signatures": { try measure("signet-dkim", signatures: 8, sets: 0, "dkim=fail") },
        "chain": { try measure("signet-dmarc", signatures: 8, sets: 10, "arc=pass") },
        "long": { try measure("signet-dmarc", signatures: 8, sets: 50, "arc=") },
        "results": { try results() },
        "authors": { try authors() },
    ]

    /// Signatures that are to be verified, over as much as there can be.
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
        try measure(
            daemon, "\(signatures) signatures and \(sets) ARC sets",
            worst.message(signatures: signatures, sets: sets), zone: worst.zone(), proof)
    }

    /// Authentication-Results fields of words outside ASCII, each of which may be our name: as many as are looked at.
    ///
    /// With more the message is refused, as they count as claims.
    private static func results() throws {
        let value = String(repeating: " 漢.漢", count: 9)
        let fields = Array(
            repeating: MailMessage.Field("Authentication-Results", value), count: 2_400)
        try measure(
            "signet-dmarc", "Authentication-Results fields outside ASCII",
            MailMessage(fields: [.init("From", " ann@worst.example")] + fields, body: []),
            zone: "", "dmarc=")
    }

    /// A From field as long as it is read, of addresses in Unicode domains that are all different.
    private static func authors() throws {
        var value = " a@ü.example"
        for number in 0..<2_800 { value += ", a@ü\(number).example" }
        try measure(
            "signet-dmarc", "authors in Unicode domains",
            MailMessage(fields: [.init("From", value)], body: []), zone: "", "dmarc=")
    }

    private static func measure(
        _ daemon: String, _ what: String, _ message: MailMessage, zone: String, _ proof: String
    ) throws {
        let server = try NSDServer(zone)
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
            "\(daemon), \(what) in \(size) octets: CPU ms",
            costs.median, atMost: 100)
    }
}
