import Configuration
import DaemonResolver
import FailureReports
import FlightRecord
import MilterDaemon
import Observation
import ReportStore

/// Every directive that signet-dmarc knows: those of opendmarc.conf(5), and our own.
///
/// The tables are what the reader checks against, what signet-dmarc.conf(5) lists and what the tests enumerate.
enum DMARCDirectives {
    /// The whole table, in the order of the man page.
    static let all: [DirectiveSpec] =
        [MilterTransport.directive, MilterLists.directive] + ResolverSettings.directives + scope
        + evaluation + results
        + actions + records + FailureReportSettings.directives + withoutEffect + refused

    /// Whose mail is looked at.
    static let scope: [DirectiveSpec] = [
        DirectiveSpec(
            "IgnoreAuthenticatedClients", .boolean, default: "yes",
            "Leaves mail of authenticated clients alone."),
        DirectiveSpec(
            "IgnoreHosts", .dataSet, default: "127.0.0.1,::1",
            "Clients whose mail is left alone; giving it replaces the default."),
        DirectiveSpec(
            "IgnoreMailFrom", .dataSet, "Author domains whose mail is left alone."),
        DirectiveSpec(
            "IgnoreMailTo", .dataSet,
            "Recipients whose mail is evaluated and not recorded, such as report mailboxes."),
        DirectiveSpec(
            "MaximumHeaders", .integer(0...Int.max), default: "1048576",
            "The longest header section in octets; longer ones are deferred. 0 means 16 MB."),
        DirectiveSpec(
            "RequiredHeaders", .boolean, default: "no",
            "Rejects messages whose header fields break RFC 5322, section 3.6, or name no author domain."
        ),
        DirectiveSpec(
            "RejectMultiValueFrom", .boolean, default: "no",
            "Rejects messages whose From fields name several domains."),
    ]

    /// How mail is evaluated.
    static let evaluation: [DirectiveSpec] = [
        DirectiveSpec(
            "SPFSelfValidate", .boolean, default: "yes",
            "Evaluates SPF here; with no, the results of TrustedAuthservIDs are taken."),
        DirectiveSpec(
            "SPFIgnoreResults", .boolean, default: "no",
            "Never takes SPF results from header fields."),
        DirectiveSpec(
            "DKIMSelfValidate", .boolean, default: "yes",
            "Verifies DKIM here; with no, the results of TrustedAuthservIDs are taken."),
        DirectiveSpec(
            "TrustedAuthservIDs", .dataSet,
            "Whose results are taken where SelfValidate says no; HOSTNAME for this host's."),
        DirectiveSpec(
            "TrustedResultsFields", .word(["together", "topmost"]), default: "together",
            "Which fields of these hosts count: all that stand together on top, or the topmost."),
        DirectiveSpec(
            "PublicSuffixList", .path,
            "A public suffix list; used only as DomainDiscovery says."),
        DirectiveSpec(
            "DomainDiscovery", .word(["treewalk", "psl", "auto"]), default: "treewalk",
            "How Organizational Domains are found: RFC 9989's walk, the list, or the walk with its help."
        ),
        DirectiveSpec(
            "DomainWhitelist", aliases: ["TrustedSealers"], .dataSet,
            "Domains whose ARC seals may override a failure; none by default."),
        DirectiveSpec(
            "DomainWhitelistFile", .path, "The same, one domain on each line."),
        DirectiveSpec(
            "MaximumSignaturesToVerify", .integer(1...64), default: "8",
            "How many DKIM signatures are verified, the author's domain's first."),
        DirectiveSpec(
            "MinimumKeyBits", .integer(0...8192), default: "1024",
            "The shortest RSA key that counts; 0 means 1024 (RFC 8301)."),
        DirectiveSpec(
            "SingletonHeaders", .dataSet, default: FieldNameList.singletonHeaders,
            "Header fields that occur once: a signature beside an unsigned second one is policy."),
        DirectiveSpec(
            "BaseDirectory", .path,
            "Where relative paths begin; by default in the folder of the configuration."),
        DirectiveSpec(
            "ReverseLookup", .boolean, default: "no",
            "Looks the client's name up and reports iprev."),
    ]

    /// How the result is reported in the message.
    static let results: [DirectiveSpec] = [
        DirectiveSpec(
            "AuthservID", .text,
            "The authserv-id of our results; the MTA's name by default, HOSTNAME for this host's."),
        DirectiveSpec(
            "AuthservIDWithJobID", .boolean, default: "no", "Adds the queue id to the authserv-id."),
        DirectiveSpec(
            "SoftwareHeader", .boolean, default: "no",
            "Adds a DMARC-Filter field naming this program."),
    ]

    /// What happens to mail that fails.
    static let actions: [DirectiveSpec] = [
        DirectiveSpec(
            "RejectFailures", .boolean, default: "no",
            "Rejects failures whose domain asks for it, except what the exemptions name."
        ),
        DirectiveSpec(
            "RejectUnreadableFrom", aliases: ["RequiredFrom"], .boolean,
            "Rejects messages whose author domains cannot be evaluated; as RejectFailures says if not given."
        ),
        DirectiveSpec(
            "RejectString", .text, default: "rejected by DMARC policy for %s",
            "The words of a rejection; %s is the author's domain."),
        DirectiveSpec(
            "HoldQuarantinedMessages", .boolean, default: "no",
            "Puts failures to be quarantined on hold in the MTA's queue."),
        DirectiveSpec(
            "OnEvaluationTimeout", .word(["tempfail", "quarantine"]), default: "tempfail",
            "What happens to mail of domains with a policy for which the DNS did not answer in time."
        ),
        DirectiveSpec(
            "ExemptLists", .boolean, default: "yes",
            "Mailing lists' mail (List-Id, List-Post) is never rejected, but quarantined."),
        DirectiveSpec(
            "ExemptHosts", .dataSet, "Forwarders whose mail is neither rejected nor held."),
        DirectiveSpec(
            "ExemptDomains", .dataSet, "Author domains whose mail is neither rejected nor held."),
        DirectiveSpec(
            "CopyFailuresTo", .text,
            "An address that gets a copy of every failure whose domain asks for something."),
    ]

    /// What is kept.
    static let records: [DirectiveSpec] =
        ReportSettings.directives + ObservationSettings.directives(.dmarc) + [
            DirectiveSpec(
                "HistoryFile", .path, needsRestart: true,
                "A text file of evaluations in OpenDMARC's form."),
            DirectiveSpec(
                "RecordAllMessages", .boolean, default: "no",
                "Records mail of domains without a policy in HistoryFile, too."
            ),
        ]

    /// Accepted: what they ask for holds anyway, or has nothing left to act on.
    static let withoutEffect: [DirectiveSpec] = [
        .noOp("DomainWhitelistSize", "the list grows as it must"),
        .noOp("MilterDebug", "use -v"),
        .noOp("ReportCommand", "use signet report failures --sendmail in its unit"),
    ]

    /// Refused, as to ignore it would leave the daemon where it can do more than the file says.
    static let refused: [DirectiveSpec] = [
        .refused(
            "ChangeRootDirectory", "the unit confines the daemon",
            instead: "use RootDirectory= in the unit")
    ]
}
