import Configuration
import DaemonResolver
import FailureReports
import MailAuth
import MailEvaluation
import MailSyntax
import Observation
import ReportStore

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each connection keeps the one it began with, and a reload replaces it as a whole. A class, so that to pass it on
/// counts one reference and not each of the many in it.
final class DMARCConfiguration: Sendable {
    /// Whose mail is left alone.
    let scope: Scope
    /// Whether header fields must be as RFC 5322, section 3.6, has them.
    let requiresHeaders: Bool
    /// Whether messages of several author domains are rejected.
    let rejectsSeveralAuthors: Bool
    /// The longest header section in octets.
    let maximumHeaderOctets: Int

    /// Whose results are taken instead of our own.
    let trusted: TrustedResults.Policy
    /// What is evaluated here, and how.
    let evaluation: EvaluationOptions
    /// Domains whose seals may override a failure.
    let trustedSealers: [DomainSet]
    /// The DNS servers.
    let resolver: ResolverSettings

    /// The authserv-id; nil for the MTA's name.
    let authservID: String?
    /// Whether the queue id is added to it.
    let addsJobID: Bool
    /// Whether a field names this program.
    let addsSoftwareHeader: Bool
    /// What happens to mail that fails.
    let dispositions: DispositionPolicy
    /// Who gets a copy of every failure, in angle brackets.
    let failureCopy: String?

    /// Where evaluations are recorded.
    let records: RecordPolicy
    /// Which failure reports are made.
    let failures: FailureReportSettings
    /// What is kept and counted.
    let observation: ObservationSettings
    /// Where the directives stand that decide.
    let places: DirectivePlaces
    /// What speaks the milter protocol.
    let transport: MilterTransport
    /// Whether good news is logged.
    let logsSuccess: Bool

    /// The longest header section that is kept when MaximumHeaders is 0.
    private static let headerOctetsLimit = 16 << 20

    /// Reads all directives; usable only when the reader has no errors afterwards.
    init(reading reader: ConfigurationReader) {
        scope = Scope(
            ignoresAuthenticated: reader.boolean("IgnoreAuthenticatedClients"),
            ignoredHosts: reader.peerSet("IgnoreHosts") ?? PeerSet(),
            ignoredAuthors: reader.domainSet("IgnoreMailFrom") ?? DomainSet())
        requiresHeaders = reader.boolean("RequiredHeaders")
        rejectsSeveralAuthors = reader.boolean("RejectMultiValueFrom")
        let octets = reader.integer("MaximumHeaders") ?? 0
        maximumHeaderOctets =
            octets == 0 ? Self.headerOctetsLimit : min(octets, Self.headerOctetsLimit)

        trusted = Self.trusted(reader)
        trustedSealers = ["DomainWhitelist", "DomainWhitelistFile"].compactMap {
            reader.domainSet($0)
        }
        resolver = ResolverSettings(reader)
        evaluation = Self.evaluation(reader, trusted, answerSeconds: resolver.timeout)

        authservID = Self.hostNamed(reader.text("AuthservID"))
        addsJobID = reader.boolean("AuthservIDWithJobID")
        addsSoftwareHeader = reader.boolean("SoftwareHeader")
        dispositions = Self.dispositions(reader)
        failureCopy = Self.failureCopy(reader)

        records = Self.records(reader)
        failures = FailureReportSettings(reader, reportEmail: records.reportAddress)
        observation = ObservationSettings(reader)
        places = DirectivePlaces(
            reader,
            [
                "RejectFailures", "HoldQuarantinedMessages", "OnEvaluationTimeout",
                "RejectUnreadableFrom",
            ])
        transport = MilterTransport(reader)
        logsSuccess = reader.boolean("SyslogSuccess")
        Self.checkMilterOrder(reader, authservID: authservID)
    }
}

/// Whose mail is left alone.
struct Scope: Sendable {
    /// Whether authenticated clients are.
    var ignoresAuthenticated = true
    /// Clients.
    var ignoredHosts = PeerSet()
    /// Author domains.
    var ignoredAuthors = DomainSet()
}

/// Where evaluations are recorded, and which ones.
struct RecordPolicy: Sendable {
    /// The database; nil for none.
    var store: StoreLocation?
    /// How many days they stay in the database; nil for ever.
    var retention: Int?
    /// How large the database may become, in octets.
    var limit = SQLiteReportStore.defaultLimit
    /// OpenDMARC's history file; nil for none.
    var historyFile: String?
    /// Whether the history file has mail of domains without a policy too.
    var historyHasAll = false
    /// Recipients whose mail is not recorded.
    var ignoredRecipients: DataSet?
    /// Whom reports come from: mail to it, such as answers to reports, is not recorded, as reports
    /// about reports would have no end.
    var reportAddress: EnvelopeAddress?
    /// Where their bounces come to, with "+" and more after the local-part.
    var bounceAddress: EnvelopeAddress?
}
