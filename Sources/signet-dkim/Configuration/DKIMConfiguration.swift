import DaemonKit
import DaemonResolver
import MailAuth
import MailDNS
import MailSyntax
import MilterDaemon

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each connection keeps the one it began with, and a reload replaces it as a whole.
struct DKIMConfiguration: Sendable {
    /// What the daemon does at all.
    struct Mode: OptionSet, Sendable {
        let rawValue: Int
        static let sign = Mode(rawValue: 1)
        static let verify = Mode(rawValue: 2)
    }

    /// What the daemon does at all.
    var mode: Mode = [.sign, .verify]
    /// Whose mail is ours.
    var traffic = TrafficPolicy()
    /// Sender domains whose mail passes untouched.
    var exemptDomains = DomainSet()
    /// Strangers who may use our domains without a line in the log.
    var externalIgnoreList = PeerSet()
    /// Recipients to whom nothing is signed.
    var dontSignMailTo: DataSet?
    /// The fields that name the sender, in order.
    var senderFields: [FieldName] = [.from]
    /// The longest header section in octets.
    var maximumHeaderOctets = 65_536
    /// Whether messages must keep to RFC 5322's field counts.
    var requiresHeaders = false
    /// Whether messages that do not are passed untouched rather than rejected.
    var ignoresMalformedMail = false

    /// Who signs for whom.
    var keys = KeyBook(plan: .nothing, vault: KeyVault { .missing(path: $0) })
    /// What signatures cover and say.
    var recipe = SigningRecipe()
    /// Whether the signatures that stand on a message of ours are removed.
    var removesOldSignatures = false
    /// The time for t= and x=, for tests.
    var fixedTime: Int64?

    /// How signatures are verified.
    var verifier = DKIMVerifierOptions()
    /// What the administrator makes of the results.
    var signaturePolicy = SignaturePolicy()
    /// The DNS servers, and how long their answers may take.
    var resolver = ResolverSettings()
    /// Key records that are looked at instead of the DNS, for tests.
    var testKeys: [ZoneRecord]?

    /// Under which authserv-id results are given, and which others are removed.
    var results = ResultsPolicy()
    /// What happens to a message.
    var actions = Actions()

    /// Whether each step of the decision is logged.
    var logsWhy = false
    /// Whether good news is logged.
    var logsSuccess = true
    /// Whether the result of each signature is logged.
    var logsResults = false
    /// Whether a field names this program.
    var addsSoftwareHeader = false

    /// How long the DNS answers for one message may take together, in seconds.
    var dnsTimeout: Double { resolver.timeout }
}

/// The configuration of a connection, by one reference.
typealias SharedConfiguration = Shared<DKIMConfiguration>

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
