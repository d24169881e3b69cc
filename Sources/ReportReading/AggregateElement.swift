/// The elements of aggregate reports, in all versions.
enum AggregateElement: String, CaseIterable {
    case feedback, version
    case metadata = "report_metadata"
    case organization = "org_name"
    case email
    case contact = "extra_contact_info"
    case reportID = "report_id"
    case dateRange = "date_range"
    case begin, end, error, generator
    case policy = "policy_published"
    case domain, adkim, aspf, p, sp, np, pct, fo, testing
    case discovery = "discovery_method"
    case record, row
    case sourceIP = "source_ip"
    case count
    case evaluated = "policy_evaluated"
    case disposition, dkim, spf, reason, type, comment
    case identifiers, identities
    case headerFrom = "header_from"
    case envelopeFrom = "envelope_from"
    case envelopeTo = "envelope_to"
    case results = "auth_results"
    case selector, result
    case humanResult = "human_result"
    case scope, extensions
    case `extension`

    /// Whether other elements are in it.
    var isContainer: Bool {
        switch self {
        case .feedback, .metadata, .dateRange, .policy, .record, .row, .evaluated, .reason,
            .identifiers, .identities, .results, .extension, .extensions:
            true
        default: false
        }
    }

    /// The element of a name without its prefix.
    init?(hash: UInt64) {
        guard let element = Self.byHash[hash] else { return nil }
        self = element
    }

    /// The hash of a name's octets (FNV-1a), which takes no memory, unlike a string.
    static func hash(_ octets: some Sequence<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for octet in octets { hash = (hash ^ UInt64(octet)) &* 0x100_0000_01B3 }
        return hash
    }

    private static let byHash: [UInt64: AggregateElement] = Dictionary(
        allCases.map { (hash($0.rawValue.utf8), $0) }, uniquingKeysWith: { first, _ in first })
}
