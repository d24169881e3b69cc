import DaemonKit
import FailureReports
import MailAuth
import MailEvaluation
import MailSyntax
import Milter
import MilterDaemon
import ReportStore
import Traffic

/// What becomes of an evaluated message: the line in the log, the results field, the action, the record.
struct MessageOutcome {
    /// Everything that was found.
    let findings: DMARCFindings
    /// What is done.
    let disposition: Disposition
    /// What SMTP told.
    let envelope: Envelope
    /// What is known at end of message.
    let context: DMARCMessageContext
    private let recipients: RecipientFacts

    /// Decides.
    init(
        _ findings: DMARCFindings, client: Client, envelope: Envelope, recipients: RecipientFacts,
        _ context: DMARCMessageContext
    ) {
        self.findings = findings
        self.envelope = envelope
        self.recipients = recipients
        self.context = context
        let configuration = context.configuration
        let facts = Disposition.Facts(
            client: client, header: context.header, findings: findings,
            trusting: configuration.trustedSealers)
        disposition = Disposition(findings.dmarc, facts, configuration.dispositions)
    }

    /// Logs, and answers with the edits and the reply.
    func verdict() -> MilterVerdict {
        context.trace?.tell(findings, disposition, context.configuration)
        let line = "DMARC: \(summary)"
        switch disposition.action {
        case .deliver, .mark:
            context.log.info(context.queueID, summary)
            return MilterVerdict(edits: edits)
        case .hold:
            return context.perform(
                .quarantine, why: sentence, line: line,
                refusal: Refusal(detail: "7.1", text: sentence), quarantineReason: quarantineReason,
                // The policy asks for less than a refusal: an MTA that cannot hold mail may be
                // configured to before the client tries again.
                isTemporary: true, edits: edits)
        case .reject(let words):
            // RFC 7372, section 3.4, "multiple authentication checks failed": neither SPF nor DKIM has said what was needed.
            return context.perform(
                .reject, why: sentence, line: line, refusal: Refusal(detail: "7.26", text: words))
        case .rejectUnreadable(let words):
            return context.perform(
                .reject, why: sentence, line: line, refusal: Refusal(detail: "7.1", text: words))
        case .defer:
            return context.perform(
                .tempfail, why: sentence, line: line,
                refusal: Refusal(detail: "7.1", text: sentence))
        }
    }

    /// What postqueue(1) shows: whose policy it is, or that nobody can say whose.
    private var quarantineReason: String {
        guard let author = findings.dmarc.deciding else { return sentence }
        return "quarantined by DMARC policy for \(author.domain.ascii)"
    }

    /// The cause, for those who do not get the message as it came.
    private var sentence: String { "DMARC: \(findings.dmarc.sentence)" }

    /// The forgeries go, our field comes, and a copy of a failure is sent where one is wanted.
    private var edits: [MessageEdit] {
        let configuration = context.configuration
        var identifier = context.authservID
        if configuration.addsJobID, let queueID = context.queueID {
            identifier = identifier.with(jobID: queueID)
        }
        let methods = findings.methods(client: envelope.address, disposition: disposition.policy)
        var edits = context.removals(of: context.forgeries)
        edits.append(
            .insertHeader(
                index: 0, name: FieldName.authenticationResults.text,
                value: AuthenticationResults(identifier, methods).fieldValue()))
        if configuration.addsSoftwareHeader { edits.append(context.softwareHeader("DMARC-Filter")) }
        // "p=none" MUST NOT "modify existing mail handling processes" (RFC 9989, section 5.4).
        if findings.dmarc.disposition != .none, let copy = configuration.failureCopy,
            !recipients.includeCopy
        {
            edits.append(.addRecipient(copy))
        }
        return edits
    }

    /// What the one line about the message says: the result in OpenDMARC's words, for what is not a pass the reason, what is
    /// done, and why not more, and SPF's result.
    private var summary: String {
        var parts: [String] = []
        let dmarc = findings.dmarc
        if dmarc.authorship.isMultiValued || dmarc.fieldFault == .severalFields {
            parts.append(LogPhrase.severalAuthors)
        } else if dmarc.authors.isEmpty {
            parts.append(LogPhrase.noAuthor)
        } else if let fault = dmarc.fieldFault {
            parts.append("From field is malformed: \(fault)")
        }
        let author = dmarc.deciding?.domain.ascii
        var result = author.map { "\($0) \(dmarc.result.rawValue)" } ?? dmarc.result.rawValue
        if author == nil || dmarc.result != .pass && dmarc.result != .none {
            result += ": \(dmarc.sentence)"
            parts += [result, "disposition \(disposition.policy.rawValue)"]
            parts += disposition.overrides.map { "\($0.kind.rawValue): \($0.comment)" }
        } else {
            parts.append(result)
        }
        if context.configuration.logsSuccess || dmarc.result != .pass,
            let domain = findings.spfDomain
        {
            let scope = envelope.reversePath == .null ? "helo" : "mailfrom"
            parts.append("SPF(\(scope)): \(domain.ascii) \(findings.spf.result)")
        }
        if recipients.areIgnored {
            parts.append("not recorded: IgnoreMailTo or ReportEmail names a recipient")
        }
        return parts.joined(separator: "; ")
    }

    /// Whether an author domain has a policy record.
    var hasPolicy: Bool { findings.dmarc.authors.contains { $0.policy != nil } }

    /// The message as a failure report is made of it; nil where none may be made.
    ///
    /// Only of what was evaluated here: what is deferred comes again, and what others found may be of another message. Never of a
    /// report or an answer of a program, nor of mail to those who send reports.
    ///
    /// - Parameters:
    ///   - time: when it came, in seconds since 1970.
    ///   - body: its body, where reports have it.
    /// - Returns: the message.
    func failure(at time: Int64, body: [UInt8]?) -> FailedMessage? {
        let trusted = context.configuration.trusted
        guard disposition.action != .defer, !recipients.areIgnored, trusted.evaluatesSPF,
            trusted.evaluatesDKIM, let author = findings.dmarc.deciding, author.policy != nil,
            !FailedMessage.isAutomatic(envelope.reversePath, context.header)
        else { return nil }
        return FailedMessage(
            received: time, authservID: context.authservID, queueID: context.queueID,
            source: envelope.address, reversePath: envelope.reversePath?.mailbox, author: author,
            spf: findings.spfOutcome, signatures: findings.signatures, delivery: delivery,
            header: context.header, body: body)
    }

    private var delivery: FailedMessage.Delivery {
        switch disposition.action {
        case .deliver, .mark, .defer: .delivered
        case .hold: .policy
        case .reject, .rejectUnreadable: .reject
        }
    }

    /// The most results, and the most seals, that are recorded of a message; a sender has room for many more.
    private static let mostFindings = 16
    /// The longest comment that is recorded, in octets.
    private static let longestComment = 1_024

    /// The record of the evaluation; nil where none is kept: what is deferred comes again.
    func record(at time: Int64) -> Evaluation? {
        guard disposition.action != .defer, !recipients.areIgnored,
            let author = findings.dmarc.deciding
        else { return nil }
        var record = Evaluation(
            received: time, reporter: context.authservID.text,
            headerFrom: author.domain.ascii, result: findings.dmarc.result.rawValue,
            disposition: disposition.policy.rawValue)
        record.queueID = context.queueID
        record.sourceAddress = envelope.address?.unmapped.description
        record.helo = LogText.safe(String(decoding: envelope.helo, as: UTF8.self))
        record.envelopeFrom = envelope.reversePath?.domain?.ascii
        record.envelopeTo = recipients.domain?.ascii
        record.policy = author.policy.map(Evaluation.Policy.init)
        record.isSPFAligned = author.isAligned(.spf)
        record.isDKIMAligned = author.isAligned(.dkim)
        record.arc = findings.arc.status.rawValue
        record.seals = findings.arc.hops.reversed().prefix(Self.mostFindings).compactMap { hop in
            guard let domain = hop.domain, let selector = hop.selector else { return nil }
            return Evaluation.Seal(
                instance: hop.instance, domain: domain.ascii, selector: selector.ascii)
        }
        record.isDecidedByChain = disposition.isDecidedByChain
        let scope = envelope.reversePath == .null ? "helo" : "mfrom"
        record.authentications = findings.identifiers.prefix(Self.mostFindings).map { identifier in
            Evaluation.Authentication(
                mechanism: identifier.mechanism.rawValue, domain: identifier.domain.ascii,
                selector: identifier.selector?.ascii,
                scope: identifier.mechanism == .spf ? scope : nil, result: identifier.result)
        }
        record.overrides = disposition.overrides.map {
            Evaluation.Override(
                kind: $0.kind.rawValue,
                comment: LogText.safe($0.comment, limit: Self.longestComment))
        }
        return record
    }
}

extension Evaluation.Policy {
    fileprivate init(_ applied: DMARCAppliedPolicy) {
        let record = applied.record
        func isFaulty(_ tag: DMARCTag) -> Bool {
            record.faults.contains(.malformed(tag)) || record.faults.contains(.repeated(tag))
        }
        /// What a tag says, or that it is not of its form.
        func value(_ tag: DMARCTag, _ text: String) -> String {
            isFaulty(tag) ? Self.invalid : text
        }
        func policy(_ tag: DMARCTag, _ policy: DMARCPolicy?) -> String? {
            isFaulty(tag) ? Self.invalid : policy?.rawValue
        }
        /// The addresses of a tag, and after them whether there are others that are of no use.
        func addresses(_ tag: DMARCTag, _ texts: [String]) -> [String] {
            let isUsable = !isFaulty(tag) && !record.faults.contains(.unusableURIs(tag))
            return isUsable ? texts : texts + [Self.invalid]
        }
        self.init(
            domain: applied.domain.ascii, applied: applied.published.rawValue,
            p: value(.p, record.policy(.p).rawValue), sp: policy(.sp, record.subdomainPolicy),
            np: policy(.np, record.nonexistentPolicy),
            adkim: value(.adkim, record.dkimAlignment.rawValue),
            aspf: value(.aspf, record.spfAlignment.rawValue), isTesting: record.isTesting,
            discovery: applied.method.rawValue,
            reportAddresses: addresses(.rua, record.aggregateReportURIs.map(\.published)),
            failureOptions: value(.fo, record.failureOptions.text),
            failureAddresses: addresses(.ruf, record.failureReportURIs.map(\.text)))
    }
}
