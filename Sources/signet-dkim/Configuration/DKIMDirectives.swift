import Configuration
import DaemonResolver
import FlightRecord
import MilterDaemon
import Observation
import SigningLog

/// Every directive that signet-dkim knows: those of opendkim.conf(5), of dkimpy-milter.conf(5), and our own.
///
/// The tables are what the reader checks against, what signet-dkim.conf(5) lists and what the tests enumerate. A directive of a
/// peer that is missing here is a fault: a test holds both pages against this list.
enum DKIMDirectives {
    /// The whole table, in the order of the man page.
    static let all: [DirectiveSpec] =
        [MilterTransport.directive, MilterLists.directive] + ResolverSettings.directives + decision
        + signing + verifying
        + actions + ObservationSettings.directives(.dkim) + [SigningLogSettings.directive]
        + withoutEffect + refused + refusedFamilies

    /// Whose mail is signed, and whose is left alone.
    static let decision: [DirectiveSpec] = [
        DirectiveSpec(
            "Mode", .word(["sv|vs", "s", "v"]), default: "sv",
            "s signs, v verifies, sv does what fits the message."),
        DirectiveSpec(
            "InternalHosts", .dataSet, default: "127.0.0.1,::1",
            "Clients whose mail is signed; giving it replaces the default."),
        DirectiveSpec(
            "MTA", .dataSet,
            "Names of the MTA's listeners ({daemon_name}) whose mail is signed."),
        DirectiveSpec(
            "MacroList", .dataSet,
            "MTA macros, NAME or NAME=value|value, that mark mail to be signed."),
        DirectiveSpec(
            "MacroListVerify", .dataSet,
            "MTA macros that mark mail from outside: it is never signed."),
        DirectiveSpec(
            "PeerList", .dataSet, "Clients whose mail passes untouched."),
        DirectiveSpec(
            "ExternalIgnoreList", .dataSet,
            "External clients whose use of our domains is not logged."),
        DirectiveSpec(
            "ExemptDomains", .dataSet, "Sender domains whose mail passes untouched."),
        DirectiveSpec(
            "DontSignMailTo", .dataSet,
            "Recipients to whom nothing is signed; one of them is enough."),
        DirectiveSpec(
            "SenderHeaders", .dataSet, default: "From",
            "Header fields that name the sender, in order; the first present one counts."),
        DirectiveSpec(
            "BaseDirectory", .path,
            "Where relative paths begin; by default in the folder of the configuration."),
        DirectiveSpec(
            "MaximumHeaders", .integer(0...Int.max), default: "65536",
            "The longest header section in octets, 0 for 16 MB; On-Security says what becomes of longer."
        ),
        DirectiveSpec(
            "RequiredHeaders", aliases: ["StrictHeaders"], .boolean, default: "no",
            "Rejects messages whose header fields break RFC 5322, section 3.6."),
        DirectiveSpec(
            "IgnoreMalformedMail", .boolean, default: "no",
            "Passes messages that break RequiredHeaders untouched instead."),
        DirectiveSpec(
            "LogWhy", .boolean, default: "no",
            "Logs each step of the decision to sign or verify."),
        DirectiveSpec(
            "SoftwareHeader", .boolean, default: "no",
            "Adds a DKIM-Filter field naming this program to what it handles."),
    ]

    /// How mail is signed.
    static let signing: [DirectiveSpec] = [
        DirectiveSpec(
            "Domain", .dataSet, "Domains whose mail is signed with KeyFile; * for any domain."),
        DirectiveSpec("SubDomains", .boolean, default: "no", "Signs for subdomains of Domain too."),
        DirectiveSpec("Selector", .text, "The selector of KeyFile."),
        DirectiveSpec("KeyFile", .path, "The private key, RSA or Ed25519, PEM or DER."),
        DirectiveSpec("SelectorEd25519", .text, "The selector of KeyFileEd25519."),
        DirectiveSpec(
            "KeyFileEd25519", .path,
            "A second private key, whose signature stands beside KeyFile's."),
        DirectiveSpec(
            "KeyTable", .dataSet, "Names of keys, each with domain:selector:key."),
        DirectiveSpec(
            "KeyTableEd25519", .dataSet,
            "The same for a second signature under the same names."),
        DirectiveSpec(
            "SigningTable", .dataSet, "Sender addresses, each with the name of a key."),
        DirectiveSpec(
            "KeyDirectory", .path,
            "A directory of keys, DOMAIN/SELECTOR.private, for senders without a key elsewhere."),
        DirectiveSpec(
            "KeyMaximumAge", .duration(0...315_360_000), default: "0",
            "The age from which a key is warned of; 0 for none."),
        DirectiveSpec(
            "CheckSigningTable", .boolean, default: "yes",
            "A name in SigningTable that KeyTable does not have is an error; with no, a warning."),
        DirectiveSpec(
            "MultipleSignatures", .boolean, default: "no",
            "Every matching line of SigningTable signs, not the first alone."),
        DirectiveSpec(
            "Canonicalization",
            .word([
                "simple|simple/simple", "relaxed", "relaxed/simple", "relaxed/relaxed",
                "simple/relaxed",
            ]), default: "simple",
            "Header, and after a slash body, canonicalization of signatures."),
        DirectiveSpec(
            "SignHeaders", .dataSet,
            "Header fields to sign; `*,+NAME,-NAME` changes the default list."),
        DirectiveSpec(
            "OmitHeaders", .dataSet,
            "Header fields never signed; `*,+NAME,-NAME` changes the default list."),
        DirectiveSpec(
            "OversignHeaders", .dataSet, default: FieldNameList.singletonHeaders,
            "Header fields that cannot be added again without breaking the signature."),
        DirectiveSpec(
            "SignatureTTL", .duration(0...315_360_000), default: "0",
            "How long signatures are valid; 0 means no expiry."),
        DirectiveSpec(
            "SignatureAlgorithm", .word(["rsa-sha256", "ed25519-sha256"]),
            "Accepted where it fits the keys; the algorithm is the key's."),
        DirectiveSpec(
            "Diagnostics", .boolean, default: "no",
            "Copies the signed header fields into z=, for the verifier's diagnosis."),
        DirectiveSpec(
            "RemoveOldSignatures", .boolean, default: "no",
            "Removes the signatures that stand on a message before ours is added."),
        DirectiveSpec(
            "RequireSafeKeys", .boolean, default: "yes",
            "Refuses key files that others can read or write."),
        DirectiveSpec(
            "FixedTimestamp", .integer(0...Int.max),
            "For tests: the time that t= and x= are made of."),
    ]

    /// How mail is verified, and how the result is reported.
    static let verifying: [DirectiveSpec] = [
        DirectiveSpec(
            "AuthservID", .text,
            "The authserv-id of our results; the MTA's name by default, HOSTNAME for this host's."),
        DirectiveSpec(
            "AuthservIDWithJobID", .boolean, default: "no", "Adds the queue id to the authserv-id."),
        DirectiveSpec(
            "AlwaysAddARHeader", .boolean, default: "no",
            "Adds the results field to unsigned mail too, with dkim=none."),
        DirectiveSpec(
            "KeepAuthResults", .boolean, default: "no",
            "Leaves Authentication-Results fields that claim our authserv-id where they are."),
        DirectiveSpec(
            "RemoveARFrom", .dataSet,
            "Further hosts whose Authentication-Results fields are removed; .domain for all in it."),
        DirectiveSpec(
            "RemoveARAll", .boolean, default: "no",
            "Removes all fields of RemoveARFrom, not only those with dkim results."),
        DirectiveSpec(
            "NoHeaderB", .boolean, default: "no", "Leaves header.b out of the results."),
        DirectiveSpec(
            "ClockDrift", .duration(0...86_400), default: "300",
            "How far the clocks of signers and ours may differ."),
        DirectiveSpec(
            "MinimumKeyBits", .integer(0...8192), default: "1024",
            "The shortest RSA key that counts; 0 means 1024 (RFC 8301)."),
        DirectiveSpec(
            "MaximumSignaturesToVerify", .integer(1...128), default: "8",
            "How many signatures of a message are verified, the author's domain's first."),
        DirectiveSpec(
            "MustBeSigned", .dataSet,
            "Header fields that a signature must cover when present, or it does not count."),
        DirectiveSpec(
            "SingletonHeaders", .dataSet, default: FieldNameList.singletonHeaders,
            "Header fields that occur once: a signature beside an unsigned second one is policy."),
        DirectiveSpec(
            "TrustSignaturesFrom", .dataSet,
            "Domains other than the author's whose signatures count; all when not given."),
        DirectiveSpec(
            "BogusKey", .word(["fail", "neutral", "none"]), default: "fail",
            "What a signature is worth whose key fails DNSSEC validation; none for a DNS error."),
        DirectiveSpec(
            "UnprotectedKey", .word(["none", "neutral", "fail"]), default: "none",
            "What a passing signature is worth whose key DNSSEC does not protect."),
        DirectiveSpec(
            "TestPublicKeys", .path, needsRestart: true,
            "For tests: a file of key records, NAME RECORD on a line, asked instead of the DNS."),
        DirectiveSpec(
            "TestDNSData", .dataSet, needsRestart: true,
            "For tests: a data set of names and TXT records, asked instead of the DNS."),
        DirectiveSpec(
            "LogResults", .boolean, default: "no", "Says the result of every signature in the log."),
    ]

    /// The words of an On- directive.
    static let actionWords = ["accept|a", "discard|d", "quarantine|q", "reject|r", "tempfail|t"]

    /// What happens to a message, by what was found.
    static let actions: [DirectiveSpec] = [
        DirectiveSpec(
            "On-Default", .word(actionWords),
            "The action for all of the following that are not given."),
        DirectiveSpec(
            "On-BadSignature", .word(actionWords), default: "accept",
            "When no signature passes and one fails."),
        DirectiveSpec(
            "On-DNSError", .word(actionWords), default: "tempfail",
            "When the DNS gives no answer for now."),
        DirectiveSpec(
            "On-InternalError", .word(actionWords), default: "tempfail",
            "When something fails here."),
        DirectiveSpec(
            "On-KeyNotFound", .word(actionWords), default: "accept",
            "When a signature's key does not exist."),
        DirectiveSpec(
            "On-NoSignature", .word(actionWords), default: "accept",
            "When there is no signature."),
        DirectiveSpec(
            "On-Security", .word(actionWords), default: "tempfail",
            "The action for a message with a header section over MaximumHeaders."),
        DirectiveSpec(
            "On-SignatureError", .word(actionWords), default: "reject",
            "When a message of ours cannot be signed."),
        DirectiveSpec(
            "CaptureUnknownErrors", .boolean, default: "no",
            "Quarantines on internal errors, whatever On-InternalError says."),
        DirectiveSpec(
            "Quarantine", .boolean, default: "no",
            "Quarantines what fails verification, whatever On-BadSignature says."),
    ]
}
