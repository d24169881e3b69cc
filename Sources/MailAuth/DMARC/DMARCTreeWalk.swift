internal import MailDNS
internal import MailSyntax

/// The DNS tree walk from one domain (RFC 9989, section 4.10).
///
/// Trust: hostile names; eight questions at most, however many labels there are.
struct DMARCTreeWalk {
    /// The most names that are asked for.
    static let maximumQueries = 8

    /// What a walk comes to.
    struct Outcome {
        /// The organizational domain (section 4.10.2).
        let organizationalDomain: DomainName
        /// The public suffix that ended the walk, and its record.
        let publicSuffix: (domain: DomainName, record: DMARCRecord)?
        /// The record of the organizational domain.
        let record: DMARCRecord?
        /// What took part in the decision.
        let method: DMARCDiscoveryMethod
    }

    enum Step {
        case outcome(Outcome)
        /// A question has no answer. What the names below it have said would make this the
        /// organizational domain, did nothing above say otherwise.
        case failure(DNSQuestion, DNSFailure, below: DomainName)
        /// Answers are missing.
        case waiting
    }

    /// Where the walk starts.
    let start: DomainName
    /// The names of which a record is sought, longest first.
    let targets: [DomainName]

    init(from start: DomainName) {
        self.start = start
        // Steps 3 and 4: "If x < 8, remove the left-most label from the subject domain. If x >= 8, remove
        // the left-most labels from the subject domain until 7 labels remain." Step 7: and so on.
        let next = min(start.labelCount, Self.maximumQueries) - 1
        targets = [start] + stride(from: next, to: 0, by: -1).map { start.suffix(labels: $0) }
    }

    /// Goes as far as the facts allow, and notes the question for the next.
    ///
    /// - Parameters:
    ///   - facts: what is known.
    ///   - list: the names that count as public suffixes where no record says otherwise.
    ///   - asksAhead: whether questions for all names may be noted at once.
    /// - Returns: the outcome, if nothing is missing.
    func step(
        _ facts: inout DMARCFacts, list: PublicSuffixList?, asksAhead: Bool
    ) -> Step {
        // The record that has the fewest labels so far.
        var highest: (domain: DomainName, record: DMARCRecord)?
        for (index, target) in targets.enumerated() {
            guard let finding = facts.finding(target) else {
                if asksAhead { for later in targets[index...] { _ = facts.finding(later) } }
                return .waiting
            }
            let record: DMARCRecord
            switch finding {
            case .nothing: continue
            case .failure(let failure):
                guard let question = DMARCFacts.question(target) else { continue }
                return .failure(question, failure, below: highest?.domain ?? start)
            case .record(let found): record = found
            }
            let isListed =
                record.publicSuffix == .unspecified && (list.map { $0.lists(target) } ?? false)
            // Steps 2 and 6: "If a single record remains and it contains a "psd=n" or "psd=y" tag, stop."
            if record.publicSuffix == .no {
                // Section 4.10.2, step 1: "this is the Organizational Domain".
                return .outcome(decided(by: (target, record)))
            }
            if record.publicSuffix == .yes || isListed {
                // Step 2: "other than the one for the domain where the tree walk started".
                guard target != start else { return .outcome(decided(by: (target, record))) }
                return .outcome(
                    below((target, record), &facts, isListed ? .publicSuffixList : .treeWalk))
            }
            highest = (target, record)
        }
        // Step 3: "select the DMARC Policy Record found at the name with the fewest number of labels."
        // "If this process does not determine the Organizational Domain, then the initial target domain is
        // the Organizational Domain."
        return .outcome(decided(by: highest))
    }

    private func decided(by found: (domain: DomainName, record: DMARCRecord)?) -> Outcome {
        Outcome(
            organizationalDomain: found?.domain ?? start, publicSuffix: nil,
            record: found?.record, method: .treeWalk)
    }

    /// The outcome where "the Organizational Domain is the domain one label below this one".
    ///
    /// It is taken from the starting name, even if the walk has skipped it; it has a record then only as
    /// far as the walk has asked.
    private func below(
        _ suffix: (domain: DomainName, record: DMARCRecord), _ facts: inout DMARCFacts,
        _ method: DMARCDiscoveryMethod
    ) -> Outcome {
        let organization = start.suffix(labels: suffix.domain.labelCount + 1)
        var record: DMARCRecord?
        if targets.contains(organization), case .record(let found) = facts.finding(organization) {
            record = found
        }
        return Outcome(
            organizationalDomain: organization, publicSuffix: suffix, record: record,
            method: method)
    }
}
