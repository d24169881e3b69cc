import Configuration
import DaemonKit
import DaemonResolver
import MailAuth
import MailEvaluation
import MailSyntax
import MilterDaemon
import ReportStore

/// Reading directives into the parts of a configuration; everything wrong is reported to the reader.
extension DMARCConfiguration {
    /// The longest public suffix list; today's has 330 kB.
    private static let suffixListLimit = 16 << 20

    static func hostNamed(_ text: String?) -> String? {
        text == "HOSTNAME" ? HostName.current : text
    }

    static func trusted(_ reader: ConfigurationReader) -> TrustedResults.Policy {
        var policy = TrustedResults.Policy()
        policy.hosts = (reader.dataSet("TrustedAuthservIDs")?.entries ?? []).compactMap {
            hostNamed($0.key).map { AuthservID($0) }
        }
        policy.fields =
            reader.word("TrustedResultsFields", as: TrustedResults.Fields.self) ?? .together
        policy.evaluatesSPF = reader.boolean("SPFSelfValidate")
        policy.evaluatesDKIM = reader.boolean("DKIMSelfValidate")
        policy.ignoresSPF = reader.boolean("SPFIgnoreResults")
        if policy.hosts.isEmpty {
            for directive in ["SPFSelfValidate", "DKIMSelfValidate"]
            where !reader.boolean(directive) {
                reader.report(
                    .warning, directive,
                    "without TrustedAuthservIDs there are no results to take: none will pass",
                    suggestion: "name the host whose results count, or remove the line")
            }
        }
        return policy
    }

    static func evaluation(
        _ reader: ConfigurationReader, _ trusted: TrustedResults.Policy, answerSeconds: Double
    ) -> EvaluationOptions {
        var options = EvaluationOptions(answerSeconds: answerSeconds)
        let dkim = dkim(reader)
        options.spf = trusted.evaluatesSPF ? SPFLimits(answerSeconds: answerSeconds) : nil
        options.dkim = trusted.evaluatesDKIM ? dkim : nil
        options.arc = arc(dkim)
        options.dmarc = dmarc(reader)
        options.looksUpClient = reader.boolean("ReverseLookup")
        return options
    }

    static func dmarc(_ reader: ConfigurationReader) -> DMARCOptions {
        var options = DMARCOptions()
        options.discovery = discovery(reader)
        return options
    }

    static func dkim(_ reader: ConfigurationReader) -> DKIMVerifierOptions {
        var options = DKIMVerifierOptions()
        options.maximumSignatures = reader.integer("MaximumSignaturesToVerify") ?? 8
        options.minimumKeyBits = reader.integer("MinimumKeyBits") ?? 1024
        options.singletonFields = FieldNameList.names(
            reader, "SingletonHeaders", default: options.singletonFields)
        return options
    }

    /// Chains are held to what single signatures are.
    static func arc(_ dkim: DKIMVerifierOptions) -> ARCOptions {
        var options = ARCOptions()
        // Each set may cost two look-ups (RFC 8617, section 9.2), on servers that the sender chooses.
        options.maximumSets = 10
        options.minimumKeyBits = max(1024, dkim.minimumKeyBits)
        options.singletonFields = dkim.singletonFields
        return options
    }

    private static func discovery(_ reader: ConfigurationReader) -> DMARCOptions.Discovery {
        let wanted = reader.text("DomainDiscovery")
        guard let path = reader.text("PublicSuffixList") else {
            if wanted == "psl" || wanted == "auto" {
                reader.report(
                    .error, "DomainDiscovery", "needs a list of public suffixes",
                    suggestion:
                        "set PublicSuffixList /usr/share/publicsuffix/public_suffix_list.dat")
            }
            return .treeWalk
        }
        if wanted != "psl", wanted != "auto" {
            reader.report(
                .notice, "PublicSuffixList",
                "not used: RFC 9989 finds Organizational Domains in the DNS",
                suggestion: "remove the line, or set DomainDiscovery psl")
            return .treeWalk
        }
        guard let octets = FileContents.ifReadable(path, limit: suffixListLimit) else {
            reader.report(.error, "PublicSuffixList", "\(path) cannot be read")
            return .treeWalk
        }
        let list = PublicSuffixList(parsing: octets)
        if list.count == 0 {
            reader.report(.error, "PublicSuffixList", "\(path) has no public suffix")
        }
        return wanted == "psl" ? .publicSuffixList(list) : .auto(list)
    }

    static func dispositions(_ reader: ConfigurationReader) -> DispositionPolicy {
        var policy = DispositionPolicy()
        policy.rejects = reader.boolean("RejectFailures")
        policy.rejectsUnreadable =
            reader.isSet("RejectUnreadableFrom")
            ? reader.boolean("RejectUnreadableFrom") : policy.rejects
        policy.holds = reader.boolean("HoldQuarantinedMessages")
        policy.undecided =
            reader.text("OnEvaluationTimeout").flatMap { .init(rawValue: $0) } ?? .tempfail
        policy.exemptsLists = reader.boolean("ExemptLists")
        policy.exemptHosts = reader.peerSet("ExemptHosts") ?? PeerSet()
        policy.exemptDomains = reader.domainSet("ExemptDomains") ?? DomainSet()
        policy.words = reader.text("RejectString") ?? policy.words
        let parts = policy.words.split(separator: "%", omittingEmptySubsequences: false)
        if parts.count != 2 || !parts[1].hasPrefix("s") {
            reader.report(
                .error, "RejectString", "must have %s once, and no other per cent sign",
                suggestion: "write it as: rejected by DMARC policy for %s")
        }
        return policy
    }

    static func failureCopy(_ reader: ConfigurationReader) -> String? {
        guard let text = reader.text("CopyFailuresTo") else { return nil }
        guard let address = try? EnvelopeAddress(forwardPath: Array(text.utf8).span),
            address.domain != nil
        else {
            reader.report(.error, "CopyFailuresTo", "\"\(text)\" is not a mail address")
            return nil
        }
        return "<\(address.text)>"
    }

    static func records(_ reader: ConfigurationReader) -> RecordPolicy {
        let reports = ReportSettings(reader)
        let ignoredRecipients = reader.dataSet("IgnoreMailTo")
        if let ignoredRecipients {
            reader.warnOfPatterns(in: ignoredRecipients, directive: "IgnoreMailTo")
        }
        return RecordPolicy(
            store: reports.store, retention: reports.retention, limit: reports.limit,
            historyFile: reader.text("HistoryFile"),
            historyHasAll: reader.boolean("RecordAllMessages"),
            ignoredRecipients: ignoredRecipients, reportAddress: reports.email,
            bounceAddress: reports.bounceAddress)
    }
}
