import Configuration
import DaemonResolver
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import MilterDaemon
import Observation
import SigningLog
import Traffic

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each connection keeps the one it began with, and a reload replaces it as a whole. A class, so that to pass it on
/// counts one reference and not each of the many in it.
final class DKIMConfiguration: Sendable {
    /// What the daemon does at all.
    struct Mode: OptionSet, Sendable {
        let rawValue: Int
        static let sign = Mode(rawValue: 1)
        static let verify = Mode(rawValue: 2)
    }

    /// What the daemon does at all.
    let mode: Mode
    /// Whose mail is ours.
    let traffic: TrafficPolicy
    /// Sender domains whose mail passes untouched.
    let exemptDomains: DomainSet
    /// Strangers who may use our domains without a line in the log.
    let externalIgnoreList: PeerSet
    /// Recipients to whom nothing is signed.
    let dontSignMailTo: DataSet?
    /// The fields that name the sender, in order.
    let senderFields: [FieldName]
    /// The longest header section in octets.
    let maximumHeaderOctets: Int
    /// Whether messages must keep to RFC 5322's field counts.
    let requiresHeaders: Bool
    /// Whether messages that do not are passed untouched rather than rejected.
    let ignoresMalformedMail: Bool

    /// Who signs for whom.
    let keys: KeyBook
    /// What signatures cover and say.
    let recipe: SigningRecipe
    /// Whether the signatures that stand on a message of ours are removed.
    let removesOldSignatures: Bool
    /// The time for t= and x=, for tests.
    let fixedTime: Int64?

    /// How signatures are verified.
    let verification: EvaluationOptions
    /// What the administrator makes of the results.
    let signaturePolicy: SignaturePolicy
    /// The DNS servers, and how long their answers may take.
    let resolver: ResolverSettings
    /// Key records that are looked at instead of the DNS, for tests.
    let testKeys: [ZoneRecord]?

    /// Under which authserv-id results are given, and which others are removed.
    let results: ResultsPolicy
    /// What happens to a message.
    let actions: Actions

    /// What speaks the milter protocol.
    let transport: MilterTransport
    /// What is kept and counted.
    let observation: ObservationSettings
    /// Where signatures are counted.
    let signingLog: SigningLogSettings
    /// Whether each step of the decision is logged.
    let logsWhy: Bool
    /// Whether good news is logged.
    let logsSuccess: Bool
    /// Whether the result of each signature is logged.
    let logsResults: Bool
    /// Whether a field names this program.
    let addsSoftwareHeader: Bool

    /// The longest header section that is kept when MaximumHeaders is 0.
    private static let headerOctetsLimit = 16 << 20

    /// Reads all directives; usable only when the reader has no errors afterwards.
    init(reading reader: ConfigurationReader) {
        mode = Self.mode(reader)
        traffic = Self.traffic(reader)
        exemptDomains = reader.domainSet("ExemptDomains") ?? DomainSet()
        externalIgnoreList = reader.peerSet("ExternalIgnoreList") ?? PeerSet()
        dontSignMailTo = reader.dataSet("DontSignMailTo")
        if let dontSignMailTo {
            reader.warnOfPatterns(in: dontSignMailTo, directive: "DontSignMailTo")
        }
        senderFields = FieldNameList.names(reader, "SenderHeaders", default: [.from])
        let octets = reader.integer("MaximumHeaders") ?? 0
        maximumHeaderOctets =
            octets == 0 ? Self.headerOctetsLimit : min(octets, Self.headerOctetsLimit)
        requiresHeaders = reader.boolean("RequiredHeaders")
        ignoresMalformedMail = reader.boolean("IgnoreMalformedMail")

        keys = mode.contains(.sign) ? KeyBookReader(reader).read() : .empty
        recipe = Self.recipe(reader)
        removesOldSignatures = reader.boolean("RemoveOldSignatures")
        fixedTime = reader.integer("FixedTimestamp").map(Int64.init)

        signaturePolicy = SignaturePolicy(
            trustedDomains: reader.domainSet("TrustSignaturesFrom"),
            unprotectedKey: reader.word("UnprotectedKey", as: SignaturePolicy.Worth.self) ?? .none,
            bogusKey: reader.word("BogusKey", as: SignaturePolicy.Worth.self) ?? .fail)
        resolver = ResolverSettings(reader)
        verification = Self.verification(reader, answerSeconds: resolver.timeout)
        testKeys = Self.testKeys(reader)

        results = Self.results(reader)
        actions = Self.actions(reader)

        transport = MilterTransport(reader)
        observation = ObservationSettings(reader)
        signingLog = SigningLogSettings(reader)
        logsWhy = reader.boolean("LogWhy")
        logsSuccess = reader.boolean("SyslogSuccess")
        logsResults = reader.boolean("LogResults")
        addsSoftwareHeader = reader.boolean("SoftwareHeader")
        if mode.contains(.verify), !results.keepsForgeries {
            Self.checkMilterOrder(reader, authservID: results.authservID)
        }
    }
}

extension DKIMConfiguration {
    /// Whether it matters whom mail goes to.
    var needsRecipients: Bool {
        dontSignMailTo != nil || countsSignatures
    }

    /// Whether signatures are counted by the domains that they go to.
    var countsSignatures: Bool { mode.contains(.sign) && signingLog.directory != nil }
}

/// Under which name results are given, and whose results are removed.
struct ResultsPolicy: Sendable {
    /// The authserv-id; nil for the MTA's name.
    var authservID: String?
    /// Whether the queue id is added to it.
    var withJobID = false
    /// Whether fields that claim our name stay.
    var keepsForgeries = false
    /// Further hosts whose fields are removed.
    var removedHosts = DomainSet()
    /// Whether theirs are removed whatever they say, not only with dkim results.
    var removesAllMethods = false
    /// Whether unsigned mail gets a field too.
    var always = false
    /// Whether header.b is left out.
    var withoutHeaderB = false
}

/// What happens to a message, by what was found (opendkim.conf(5), On-*).
struct Actions: Sendable, Equatable {
    typealias Action = MilterAction

    var badSignature = Action.accept
    var dnsError = Action.tempfail
    var internalError = Action.tempfail
    var keyNotFound = Action.accept
    var noSignature = Action.accept
    var security = Action.tempfail
    var signatureError = Action.reject
}
