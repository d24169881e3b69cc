package import MailDNS
internal import MailSyntax

/// Dynamic updates (RFC 2136) with TSIG, by nsupdate(1): it reads the key from its file, so that no secret is in the arguments.
package struct NsupdateMethod: RecordMethod {
    /// The program's path.
    package var program = "/usr/bin/nsupdate"
    /// The file with the TSIG key; nil for updates without.
    package var keyFile: String?
    /// The server to tell; nil for the zone's primary by its SOA record.
    package var server: Nameserver?
    /// The zone; nil where nsupdate finds it by itself.
    package var zone: String?
    /// How long it may take, in seconds.
    package var seconds = 60.0

    /// Updates without a key at the zone's primary.
    package init() {}

    package func present(_ record: KeyPublicationRecord) throws(MethodFailure) {
        // One update, so that no server shows the name without a record in between (RFC 2136, section 3.4.2).
        try run([
            "update delete \(record.name.ascii). TXT",
            "update add \(record.name.ascii). \(record.ttl) TXT \(record.quotedStrings)",
        ])
    }

    package func cleanup(_ record: KeyPublicationRecord) throws(MethodFailure) {
        try run(["update delete \(record.name.ascii). TXT"])
    }

    private func run(_ updates: [String]) throws(MethodFailure) {
        var lines: [String] = []
        if let server { lines.append("server \(server.address) \(server.port)") }
        if let zone { lines.append("zone \(zone)") }
        lines += updates + ["send", "quit"]
        let key = keyFile.map { ["-k", $0] } ?? []
        _ = try ProgramRun(
            path: program, arguments: key, input: lines.joined(separator: "\n") + "\n",
            seconds: seconds
        ).run()
    }
}
