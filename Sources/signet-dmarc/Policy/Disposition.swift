import Configuration
import MailAuth
import MailDNS
import MailSyntax
import Traffic

/// What the administrator does with mail that fails.
///
/// RFC 9989, section 7.4: receivers "MUST NOT reject incoming messages solely on the basis of a "p=reject" policy"; without other
/// knowledge they "MUST treat such failing mail as if the policy were "p=quarantine"". So rejecting is what the administrator
/// decides, and forwarded mail has ways around it.
struct DispositionPolicy: Sendable {
    /// Whether failures are rejected whose domain asks for it.
    var rejects = false
    /// Whether messages are rejected of which no author domain can be evaluated.
    var rejectsUnreadable = false
    /// Whether failures to be quarantined are put on hold, rather than marked.
    var holds = false
    /// Whether mail of mailing lists is quarantined where it would be rejected.
    var exemptsLists = true
    /// Clients that forward mail, whose failures are delivered.
    var exemptHosts = PeerSet()
    /// Author domains whose failures are delivered.
    var exemptDomains = DomainSet()
    /// What happens to mail that could not be evaluated in time, and whose domain asks for something.
    var undecided = Undecided.tempfail

    /// What `OnEvaluationTimeout` names.
    enum Undecided: String, Sendable {
        case tempfail
        case quarantine
    }

    /// The words of a rejection, with `%s` for the author domain.
    var words = "rejected by DMARC policy for %s"

    /// The words of a rejection for an author domain.
    func words(for domain: String) -> String {
        let parts = words.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        // An "s" follows the mark.
        return parts.count == 2 ? parts[0] + domain + parts[1].dropFirst() : words
    }
}

/// Why less was done than the domain asked for (RFC 9990, `PolicyOverrideType`).
struct PolicyOverride: Hashable, Sendable {
    /// The types that reports know.
    enum Kind: String, Sendable {
        case localPolicy = "local_policy"
        case mailingList = "mailing_list"
        case policyTestMode = "policy_test_mode"
        case trustedForwarder = "trusted_forwarder"
    }

    let kind: Kind
    let comment: String
}

/// What is done with one message, and why it is not what was asked for.
///
/// Pure: the same facts give the same disposition.
struct Disposition: Equatable, Sendable {
    /// What happens to the message.
    enum Action: Equatable, Sendable {
        /// It goes on, with the results field alone.
        case deliver
        /// It goes on marked, by `dis=quarantine` in the results field.
        case mark
        /// It is put on hold.
        case hold
        /// It is refused with these words, for a failure.
        case reject(String)
        /// It is refused with these words, as its author domains cannot be evaluated.
        case rejectUnreadable(String)
        /// It is refused for now.
        case `defer`
    }

    /// What happens to the message.
    var action = Action.deliver
    /// Why less is done than was asked for, in the order in which it was found.
    var overrides: [PolicyOverride] = []

    /// Whether trusted sealers made up for the failure.
    var isDecidedByChain = false

    /// The disposition as reports and the results field name it.
    var policy: DMARCPolicy {
        switch action {
        case .deliver, .defer: .none
        case .mark, .hold: .quarantine
        case .reject, .rejectUnreadable: .reject
        }
    }

    /// What is known of the message besides its evaluation.
    struct Facts: Sendable {
        /// Who sends.
        var client = Client()
        /// Whether the message has a field of a mailing list.
        var isListMail = false
        /// What trusted sealers say that makes up for the failure; nil where they say nothing.
        var trustedChain: String?
        /// Whether a chain of a trusted sealer could not be validated, as the resolver could not ask for its keys.
        var isChainUnknown = false

        private static let listFields: [FieldName] = ["List-Id", "List-Post"]

        /// Collects the facts of a message.
        init(
            client: Client, header: HeaderSection, findings: DMARCFindings,
            trusting sealers: [DomainSet]
        ) {
            self.client = client
            isListMail = Self.listFields.contains { header.count(named: $0) > 0 }
            if case .one(let author) = findings.dmarc.authorship {
                trustedChain = findings.arc.override(for: author, trusting: sealers)
                isChainUnknown = findings.arc.wasNotAsked(of: sealers)
            }
        }
    }

    /// Decides.
    init(_ evaluation: DMARCEvaluation, _ facts: Facts, _ policy: DispositionPolicy) {
        if evaluation.isUndecidedBeyondResult {
            decideUndecided(evaluation, facts, policy)
            return
        }
        switch evaluation.result {
        case .pass, .none: return
        case .permerror:
            if !evaluation.authorship.canBeEvaluated { decideUnreadable(evaluation, facts, policy) }
            return
        case .temperror:
            // What our own resolver could not ask is no fault of the domain's, and is asked when the message comes again.
            if evaluation.failedByResolver {
                action = .defer
            } else if !evaluation.authorsOfUnknownPolicy.isEmpty {
                decideUnknown(evaluation, facts, policy)
            }
            // Else every policy is known to ask for nothing: whatever the DNS had answered, p=none would change no handling
            // (RFC 9989, section 5.4).
            return
        case .fail: break
        }
        guard let author = evaluation.deciding, let applied = author.policy else { return }
        if applied.record.isTesting, applied.published != .none {
            note(.policyTestMode, "t=y in the record of \(applied.domain)")
        }
        let asked = evaluation.disposition
        guard asked != .none else { return }
        if let chain = facts.trustedChain {
            note(.localPolicy, chain)
            isDecidedByChain = true
            return
        }
        guard !isForwarded(facts, policy) else { return }
        // What our own resolver could not ask is asked when the message comes again.
        guard !facts.isChainUnknown else {
            action = .defer
            return
        }
        // All that ask for something: or one author would lend its exemption to another.
        let asking = evaluation.authors.filter { $0.requestedDisposition != .none }
        if asking.allSatisfy({ policy.exemptDomains.contains($0.domain) }) {
            note(.localPolicy, "\(author.domain) is in ExemptDomains")
            return
        }
        let quarantine = policy.holds ? Action.hold : .mark
        guard asked == .reject else {
            action = quarantine
            return
        }
        if !policy.rejects {
            note(.localPolicy, "RejectFailures is off")
            action = quarantine
        } else if policy.exemptsLists, facts.isListMail {
            note(.mailingList, "the message has the fields of a mailing list")
            action = quarantine
        } else {
            let words = policy.words(for: author.domain.ascii)
            action = .reject("\(words) (\(applied.tag.rawValue)=reject)")
        }
    }

    /// Decides about a message that may be a failure of a domain that asks for something.
    ///
    /// RFC 9989, section 5.3.6, leaves such messages to the receiver. They are never delivered as if nothing were wrong: a sender
    /// could have that by withholding an answer.
    private mutating func decideUndecided(
        _ evaluation: DMARCEvaluation, _ facts: Facts, _ policy: DispositionPolicy
    ) {
        guard !isExempt(evaluation.undecidedAuthors, facts, policy) else { return }
        switch policy.undecided {
        case .tempfail: action = .defer
        case .quarantine: action = policy.holds ? .hold : .mark
        }
    }

    /// Decides about a message of a domain whose policy the DNS did not give.
    ///
    /// RFC 9989, section 4.10.1, leaves it to the receiver whether such mail is delivered or refused for now. Where failures are
    /// rejected it is treated as mail of a domain that asks for something, which it may be. Where they are only marked it is
    /// marked as they are. While no server of this host's answers at all, which no sender can bring about, it goes on there.
    private mutating func decideUnknown(
        _ evaluation: DMARCEvaluation, _ facts: Facts, _ policy: DispositionPolicy
    ) {
        guard policy.rejects || !evaluation.lacksServer,
            !isExempt(evaluation.authorsOfUnknownPolicy, facts, policy)
        else { return }
        action =
            policy.rejects && policy.undecided == .tempfail
            ? .defer : policy.holds ? .hold : .mark
    }

    /// Whether mail of these author domains goes on whatever they ask for, which is noted.
    private mutating func isExempt(
        _ authors: [DMARCAuthorEvaluation], _ facts: Facts, _ policy: DispositionPolicy
    ) -> Bool {
        if let chain = facts.trustedChain {
            note(.localPolicy, chain)
            isDecidedByChain = true
            return true
        }
        guard !isForwarded(facts, policy) else { return true }
        guard authors.allSatisfy({ policy.exemptDomains.contains($0.domain) }) else { return false }
        let names = authors.map(\.domain.ascii).joined(separator: ", ")
        note(.localPolicy, "\(names) in ExemptDomains")
        return true
    }

    /// Decides about a message whose author domains cannot be evaluated.
    ///
    /// "Care must be taken by the Mail Receiver to recognize such messages as the threats they might be" (RFC 9989, section 11.5):
    /// they are refused, or marked, whatever the domains that they may show ask for.
    private mutating func decideUnreadable(
        _ evaluation: DMARCEvaluation, _ facts: Facts, _ policy: DispositionPolicy
    ) {
        guard !isForwarded(facts, policy) else { return }
        if !policy.rejectsUnreadable {
            action = policy.holds ? .hold : .mark
        } else if policy.exemptsLists, facts.isListMail {
            note(.mailingList, "the message has the fields of a mailing list")
            action = policy.holds ? .hold : .mark
        } else {
            action = .rejectUnreadable("Message refused: \(evaluation.sentence)")
        }
    }

    /// Whether the client is a forwarder whose mail is delivered, which is noted.
    private mutating func isForwarded(_ facts: Facts, _ policy: DispositionPolicy) -> Bool {
        guard
            policy.exemptHosts.contains(
                hostName: facts.client.hostName, address: facts.client.address)
        else { return false }
        note(.trustedForwarder, "\(facts.client.description) is in ExemptHosts")
        return true
    }

    private mutating func note(_ kind: PolicyOverride.Kind, _ comment: String) {
        overrides.append(PolicyOverride(kind: kind, comment: comment))
    }
}

extension ARCOutcome {
    /// What trusted sealers say about mail of this domain that makes up for its failure now; nil where they say nothing.
    ///
    /// The oldest sealer counts up to which all are trusted: it saw the message before the others changed it. It must have found
    /// that DMARC passed for the very domain (RFC 8617, sections 5.2 and 7.2.2).
    func override(for author: DomainName, trusting sealers: [DomainSet]) -> String? {
        let trusted = trustedHops { domain in sealers.contains { $0.contains(domain) } }
        guard let results = trusted.last?.assessment?.results else { return nil }
        // Of results that contradict each other, and of one about two domains, none counts.
        let words = results.filter { $0.method == "dmarc" && $0.isAbout(author) }
        let hasPassed = words.allSatisfy { result in
            let domains = result.properties.filter { $0.ptype == "header" && $0.name == "from" }
            return result.isRegistered && result.result == "pass" && domains.count == 1
        }
        return hasPassed && !words.isEmpty ? reportComment : nil
    }

    /// Whether the resolver could not ask for a key, and the last sealer is one of these.
    fileprivate func wasNotAsked(of sealers: [DomainSet]) -> Bool {
        guard case .signature(_, _, .dns(.resolver)) = reason, let sealer = hops.last?.domain
        else { return false }
        return sealers.contains { $0.contains(sealer) }
    }
}

extension MethodResult {
    /// Whether this says something about mail of a domain.
    fileprivate func isAbout(_ author: DomainName) -> Bool {
        properties.contains { property in
            guard property.ptype == "header", property.name == "from",
                let domain = try? DomainName(property.value)
            else { return false }
            return domain == author
        }
    }
}

extension DMARCEvaluation {
    /// The author domains that have a policy which asks for something, and for which the DNS did not say whether the message
    /// passes.
    fileprivate var undecidedAuthors: [DMARCAuthorEvaluation] {
        authors.filter { $0.possibleDisposition != .none }
    }

    /// Whether such a domain asks for more than those ask for whose messages failed.
    fileprivate var isUndecidedBeyondResult: Bool {
        (authors.map(\.possibleDisposition).max() ?? .none) > disposition
    }

    /// The author domains whose policy the DNS did not give.
    fileprivate var authorsOfUnknownPolicy: [DMARCAuthorEvaluation] {
        authors.filter { $0.result == .temperror && $0.policy == nil }
    }

    /// Whether the resolver could not ask, as too many questions were under way.
    fileprivate var failedByResolver: Bool {
        hasUnanswered { if case .resolver = $0 { true } else { false } }
    }

    /// Whether an answer is lacking as no server of this host's answers.
    fileprivate var lacksServer: Bool { hasUnanswered { $0 == .noServer } }

    private func hasUnanswered(_ isMeant: (DNSFailure) -> Bool) -> Bool {
        authors.contains { author in
            guard case .dns(_, let failure) = author.cause else { return false }
            return author.result == .temperror && isMeant(failure)
        }
    }
}
