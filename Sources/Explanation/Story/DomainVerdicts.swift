package import FlightRecord

/// What the daemons have done with a domain's mail, and what would change it.
package struct DomainVerdicts: Sendable {
    /// The domain.
    package let domain: String
    /// The entries, in the order of time.
    package let entries: [FlightEntry]

    /// Judges these entries.
    package init(_ domain: String, _ entries: [FlightEntry]) {
        self.domain = domain
        self.entries = entries
    }

    /// Whether an entry is about mail of a domain: of its From field, or of the reverse-path.
    package static func concerns(_ entry: FlightEntry, _ domain: String) -> Bool {
        entry.all(.author).contains(domain)
            || entry[.sender]?.lowercased().hasSuffix("@\(domain)") == true
    }

    /// How often each thing was done, by daemon and verdict: `dmarc refused`.
    package var counts: [String: Int] {
        var counts: [String: Int] = [:]
        for entry in entries {
            counts["\(entry.daemon.shortName) \(entry[.verdict] ?? "unknown")", default: 0] += 1
        }
        return counts
    }

    private static let troubles: [FlightVerdict] = [
        .refused, .deferred, .held, .discarded, .marked, .unsigned,
    ]

    private var troubled: [FlightEntry] {
        entries.filter { entry in
            entry[.verdict].flatMap(FlightVerdict.init).map(Self.troubles.contains) ?? false
        }
    }

    /// The verdicts in a sentence.
    package var answer: String {
        guard let last = entries.last else { return "No daemon has a record of mail of \(domain)." }
        guard let trouble = troubled.last else {
            return
                "\(Self.messages(entries.count)) of \(domain), none of which was stopped; the last one: "
                + "\(EntrySentence.text(of: last))."
        }
        return
            "\(troubled.count) of \(Self.messages(entries.count)) of \(domain) "
            + "\(troubled.count == 1 ? "was" : "were") stopped, marked or left unsigned; the last one: \(EntrySentence.text(of: trouble))."
    }

    private static func messages(_ count: Int) -> String {
        count == 1 ? "1 record" : "\(count) records"
    }

    /// What would change the verdicts, a sentence each.
    package var advice: [String] {
        var advice: [String] = []
        for entry in troubled.reversed() {
            let words = Self.remedy(entry)
            if !advice.contains(words) { advice.append(words) }
        }
        return advice
    }

    private static func remedy(_ entry: FlightEntry) -> String {
        let place = entry[.rule].map { " (\($0))" } ?? ""
        switch (entry.daemon, entry[.verdict].flatMap(FlightVerdict.init)) {
        case (.dkim, .unsigned):
            return "To have it signed, change what the reason names\(place): "
                + "a line of SigningTable or Domain, the client's place in InternalHosts, or its login."
        case (_, .deferred):
            return
                "It is deferred until the DNS answers: look at the questions with \"signet explain -v\", "
                + "and at the domain's name servers."
        case (.dmarc, _):
            return
                "DMARC passes when the sender signs with a d= of its From domain, or sends from a host "
                + "that its SPF record names under a reverse-path of its domain; ExemptDomains and "
                + "ExemptHosts let it through all the same\(place)."
        case (.spf, _):
            return "SPF passes when the domain's record names the client, or the client is in "
                + "Whitelist or skip_addresses\(place)."
        case (.dkim, _):
            return
                "A signature has to verify: see the signature's result with \"signet explain -v\"\(place)."
        default: return "See \"signet explain -v\" for the message\(place)."
        }
    }
}
