import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import PolicyProtocol
import Threads

/// Makes the checks of one question, as far as they are not remembered.
struct IdentityChecks {
    private let helo: SPFRequest?
    private let mailFrom: SPFRequest?
    private let voidLimit: Int
    private let evaluator: SPFEvaluator
    private let receiver: String?
    private var prefetch: SPFPrefetch?

    /// Prepares checks; nothing is asked of the DNS yet.
    init(
        _ request: PolicyRequest, _ client: IPAddress, _ policy: Policy,
        _ configuration: SPFConfiguration, resolver: any DNSResolver, shares: QuestionShares,
        records: SPFRecordCache, recorder: RecordingResolver?, time: TimeSource,
        isBeforeMail: Bool
    ) {
        let (name, sender) = (request[.helo], request[.sender])
        helo =
            policy.helo == .noCheck || name.isEmpty
            ? nil : .helo(name, client: client, envelopeFrom: sender)
        // Where the reverse-path is null, the identity is "postmaster" at the HELO name, "which might or might not have been
        // checked separately before" (RFC 7208, section 2.4).
        mailFrom =
            policy.mailFrom == .noCheck || isBeforeMail || (sender.isEmpty && name.isEmpty)
            ? nil : .mailFrom(sender, helo: name, client: client)
        voidLimit = policy.voidLimit
        receiver = configuration.shownReceiver
        var limits = SPFLimits()
        limits.seconds = configuration.lookupSeconds
        limits.voidLookups = policy.voidLimit
        evaluator = SPFEvaluator(
            resolver: shares.resolver(
                resolver, client: client, domain: (mailFrom ?? helo)?.domain, recorder: recorder),
            time: time,
            limits: limits, receiver: receiver ?? "unknown",
            wantsExplanation: !policy.isTest, records: records)
    }

    /// The result for one identity, remembered or found now; nil where it is not to be checked.
    ///
    /// The first check that asks the DNS starts the first question of the other one too.
    mutating func finding(_ identity: SPFIdentity, _ message: MessageMemory) -> Finding? {
        guard let request = identity == .helo ? helo : mailFrom else { return nil }
        if let known = message.finding(identity, voidLimit: voidLimit) { return known }
        if prefetch == nil {
            prefetch = evaluator.prefetch(
                identity == .helo ? helo?.domain : nil, mailFrom?.domain)
        }
        let outcome = evaluator.check(request, prefetched: prefetch ?? SPFPrefetch())
        let finding = Finding(outcome, receiver: receiver)
        message.keep(finding, voidLimit: voidLimit)
        return finding
    }

    /// Gives up what was asked of the DNS and not used.
    func finish() { prefetch?.cancel() }
}
