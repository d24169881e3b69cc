public import Configuration
public import MailSyntax

/// What the configuration says about the store and the reports out of it: the same for the daemon, which fills the store, and for
/// the command, which sends.
public struct ReportSettings: Sendable {
    /// The store; nil for none.
    public var store: StoreLocation? = .file(defaultStore)
    /// How many days are kept in the store; nil for all.
    public var retention: Int?
    /// How large the store may become, in octets.
    public var limit = SQLiteReportStore.defaultLimit
    /// The organization that reports; nil where it is not given, and no reports are sent.
    public var organization: String?
    /// Whom reports come from, and who answers questions about them; nil where it is not given, and no reports are sent.
    public var email: EnvelopeAddress?
    /// The address below which aggregate reports have their envelope senders; nil for that of `email`.
    public var bounceAddress: EnvelopeAddress?
    /// Domains and addresses that get no reports.
    public var noReports = DataSet()

    /// Where the store is if nothing is said.
    public static let defaultStore = "/var/lib/signet-dmarc/reports.db"
    private static let smallestLimit: Int64 = 1 << 20
    private static let largestLimit: Int64 = 1 << 40
    /// The longest name of an organization, in octets.
    private static let longestName = 200
    /// What is added to it has 26 octets, and a local-part has 64 (RFC 5321, section 4.5.3.1.1).
    private static let longestLocalPart = 38

    /// The directives.
    public static let directives: [DirectiveSpec] = [
        DirectiveSpec(
            "ReportStore", .text, default: defaultStore, needsRestart: true,
            "The database of evaluations, for reports; none for no database."),
        DirectiveSpec(
            "ReportRetention", .integer(0...36_500), default: "30", needsRestart: true,
            "How many days evaluations are kept in the database; 0 means without limit."),
        DirectiveSpec(
            "ReportStoreLimit", .text, default: "1G", needsRestart: true,
            "How large the database may become."),
        DirectiveSpec(
            "OrganizationName", .text,
            "Who reports, as aggregate reports name it; without it none are sent."),
        DirectiveSpec(
            "ReportEmail", .text,
            "The address that aggregate reports come from; without it none are sent."),
        DirectiveSpec(
            "ReportBounceAddress", .text,
            "The address that bounces of aggregate reports come to; its domain's mail has \"+\" extensions."
        ),
        DirectiveSpec(
            "NoReports", aliases: ["NoReportsList"], .dataSet,
            "Policy domains, and addresses or domains of them, that get no reports."),
    ]

    /// Creates what holds when nothing is said, but for the retention.
    public init() {}

    /// Reads the directives; what is wrong is reported to the reader.
    public init(_ reader: ConfigurationReader) {
        store = Self.store(reader)
        let days = reader.integer("ReportRetention") ?? 0
        retention = days == 0 ? nil : days
        limit = Self.storeLimit(reader)
        organization = reader.text("OrganizationName")
        if let organization, organization.utf8.count > Self.longestName {
            reader.report(
                .error, "OrganizationName", "is longer than \(Self.longestName) octets")
        }
        email = Self.address(reader, "ReportEmail")
        bounceAddress = Self.address(reader, "ReportBounceAddress")
        if let bounceAddress, bounceAddress.localPart.count > Self.longestLocalPart {
            reader.report(
                .error, "ReportBounceAddress",
                "has a local-part of more than \(Self.longestLocalPart) octets")
        }
        noReports = reader.dataSet("NoReports") ?? DataSet()
        reader.warnOfPatterns(in: noReports, directive: "NoReports")
    }

    private static func address(
        _ reader: ConfigurationReader, _ directive: String
    ) -> EnvelopeAddress? {
        guard let text = reader.text(directive) else { return nil }
        if let address = address(text) { return address }
        reader.report(
            .error, directive, "\"\(text)\" is not a mail address",
            suggestion: "write it as: dmarc-reports@example.com")
        return nil
    }

    /// An address that mail can come from; nil where the text is none.
    public static func address(_ text: String) -> EnvelopeAddress? {
        guard text.utf8.allSatisfy({ 0x21...0x7E ~= $0 }),
            let address = try? EnvelopeAddress(forwardPath: Array("<\(text)>".utf8).span),
            let domain = address.domain, domain.isHostName
        else { return nil }
        return address
    }

    private static func storeLimit(_ reader: ConfigurationReader) -> Int64 {
        let text = reader.text("ReportStoreLimit") ?? ""
        if let octets = OctetCount.parse(text, in: smallestLimit...largestLimit) { return octets }
        reader.report(
            .error, "ReportStoreLimit", "\"\(text)\" is not a size from 1M to 1024G",
            suggestion: "write a number of octets, or one with K, M or G, such as 1G")
        return SQLiteReportStore.defaultLimit
    }

    private static func store(_ reader: ConfigurationReader) -> StoreLocation? {
        guard let text = reader.text("ReportStore"), text != "none" else { return nil }
        guard let location = StoreLocation(text) else {
            reader.report(
                .error, "ReportStore", "\"\(text)\" is neither an absolute path nor an address",
                suggestion: "write the path in full, postgresql://USER@HOST/DATABASE, or none")
            return nil
        }
        guard !location.hasPassword else {
            reader.report(
                .error, "ReportStore", "everybody may read the password in the address",
                suggestion: "put it into a file that signet-dmarc may read, ?passfile=FILE")
            return nil
        }
        return location
    }
}
