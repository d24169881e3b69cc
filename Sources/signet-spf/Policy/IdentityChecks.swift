import MailAuth
import MailDNS
import MailSyntax

/// Makes the checks of one question, as far as they are not remembered.
struct IdentityChecks {
    /// What is checked.
    struct Facts {
        let client: IPAddress
        let helo: [UInt8]
        let sender: [UInt8]
    }

    private let facts: Facts
    private let policy: Policy
    private let evaluator: SPFEvaluator
    private let receiver: String?
    private var prefetch: SPFPrefetch?

    /// Prepares checks; nothing is asked of the DNS yet.
    init(
        _ facts: Facts, policy: Policy, configuration: SPFConfiguration, resolver: any DNSResolver
    ) {
        self.facts = facts
        self.policy = policy
        receiver = configuration.shownReceiver
        var limits = SPFLimits()
        limits.seconds = configuration.lookupSeconds
        limits.voidLookups = policy.voidLimit
        evaluator = SPFEvaluator(
            resolver: resolver, limits: limits, receiver: receiver ?? "unknown",
            wantsExplanation: !policy.isTest)
    }

    /// Whether the HELO name is to be checked.
    var checksHELO: Bool { policy.helo != .noCheck && !facts.helo.isEmpty }

    /// Whether the reverse-path is to be checked; a null one is covered by the HELO name
    /// (RFC 7208, section 2.4).
    var checksMailFrom: Bool { policy.mailFrom != .noCheck && !facts.sender.isEmpty }

    /// The result for one identity, remembered or found now.
    ///
    /// The first check that asks the DNS starts the first question of the other one too.
    mutating func finding(
        _ identity: SPFIdentity, alone: Bool = false, _ message: inout MessageMemory
    ) -> Finding {
        if let known = message.finding(identity, voidLimit: policy.voidLimit) { return known }
        if prefetch == nil {
            var requests = [request(identity)]
            if identity == .helo, checksMailFrom, !alone { requests.append(request(.mailFrom)) }
            prefetch = evaluator.prefetch(requests)
        }
        let outcome = evaluator.check(request(identity), prefetched: prefetch ?? SPFPrefetch())
        let finding = Finding(outcome, receiver: receiver)
        message.keep(finding, voidLimit: policy.voidLimit)
        return finding
    }

    /// Gives up what was asked of the DNS and not used.
    func finish() { prefetch?.cancel() }

    private func request(_ identity: SPFIdentity) -> SPFRequest {
        switch identity {
        case .helo: .helo(facts.helo, client: facts.client, envelopeFrom: facts.sender)
        case .mailFrom: .mailFrom(facts.sender, helo: facts.helo, client: facts.client)
        }
    }
}
