import DaemonKit
import DaemonResolver
import MailAuth
import MailSyntax

/// Everything that the configuration says, read, checked and ready for use.
///
/// Immutable: each connection keeps the one it began with, and a reload replaces it as a whole.
struct DMARCConfiguration: Sendable {
    /// Whose mail is left alone.
    var scope = Scope()
    /// Whether header fields must be as RFC 5322, section 3.6, has them.
    var requiresHeaders = false
    /// Whether messages of several author domains are rejected.
    var rejectsSeveralAuthors = false
    /// The longest header section in octets.
    var maximumHeaderOctets = 1_048_576

    /// Whose results are taken instead of our own.
    var trusted = TrustedResults.Policy()
    /// How DMARC is evaluated.
    var dmarc = DMARCOptions()
    /// How signatures are verified.
    var dkim = DKIMVerifierOptions()
    /// How chains are validated.
    var arc = ARCOptions()
    /// Domains whose seals may override a failure.
    var trustedSealers: [DomainSet] = []
    /// Whether the client's name is looked up.
    var looksUpClient = false
    /// The DNS servers, and how long their answers may take.
    var resolver = ResolverSettings()

    /// The authserv-id; nil for the MTA's name.
    var authservID: String?
    /// Whether the queue id is added to it.
    var addsJobID = false
    /// Whether a field names this program.
    var addsSoftwareHeader = false
    /// What happens to mail that fails.
    var dispositions = DispositionPolicy()
    /// Who gets a copy of every failure, in angle brackets.
    var failureCopy: String?

    /// Where evaluations are recorded.
    var records = RecordPolicy()
    /// Whether good news is logged.
    var logsSuccess = false
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
    var store: String?
    /// OpenDMARC's history file; nil for none.
    var historyFile: String?
    /// Whether mail of domains without a policy is recorded too.
    var includesAll = false
    /// Recipients whose mail is not recorded.
    var ignoredRecipients: DataSet?
}
