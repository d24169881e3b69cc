internal import Setup

/// Directives that no peer has and that change no verdict: where our file has them, they stay in what is made of a peer's.
enum OwnDirectives {
    private static let all = [
        "FlightRecord", "FlightRecordLimit", "FlightRecordPrivacy", "Metrics",
    ]

    private static func names(_ daemon: String) -> [String] {
        switch daemon {
        case "dkim": all + ["SigningLog", "KeyDirectory", "KeyMaximumAge"]
        case "dmarc":
            all + [
                "OrganizationName", "ReportEmail", "ReportBounceAddress", "NoReports",
                "ReportStore",
                "ReportRetention", "ReportStoreLimit",
            ]
        default: all
        }
    }

    /// The lines of our file that stay.
    ///
    /// - Parameters:
    ///   - peer: whose configuration takes the file's place.
    ///   - file: the file that is there; nil where there is none.
    ///   - directives: those of the peer.
    /// - Returns: the lines, with a line feed behind each.
    static func lines(
        of peer: Peer, _ file: FileState?, without directives: [PeerDirective]
    ) -> String {
        let present = DirectiveText(file?.contents ?? [])
        let taken = Set(directives.map { $0.name.lowercased() })
        return names(peer.daemon).filter { !taken.contains($0.lowercased()) }.compactMap { name in
            present.value(of: name).map { PeerFile.line(name, $0) }
        }.joined()
    }
}
