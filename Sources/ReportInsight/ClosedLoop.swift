internal import ReportStore
internal import SigningLog

/// What reports say of the mail of a domain, beside what this host has signed for it.
///
/// A message that failed with a signature of ours on it was ours and was broken on the way; one without never passed here. Only
/// days that the signing log covers are looked at.
package struct ClosedLoop: Hashable, Sendable {
    /// What one reporter says about mail that bears a signature of ours.
    package struct Reporter: Hashable, Sendable {
        /// How many messages.
        package var messages: Int64 = 0
        /// How many of them failed DMARC.
        package var failed: Int64 = 0
        /// Which addresses these came from.
        package var sources: [String: Int64] = [:]
    }

    /// The first day that is looked at, in days since 1970.
    package var begin: Int64 = 0
    /// How many messages were signed here, counted once for each domain that they went to.
    package var signed: Int64 = 0
    /// To how many domains they went.
    package var recipients = 0
    /// How many messages reports speak of.
    package var reported: Int64 = 0
    /// How many of them bear a signature that may be ours.
    package var ours: Int64 = 0
    /// How many of those failed DMARC.
    package var broken: Int64 = 0
    /// How many that failed have no signature of the domain: they never passed here, or lost it.
    package var unsigned: Int64 = 0
    /// Which addresses these came from.
    package var unsignedSources: [String: Int64] = [:]
    /// How many that failed have a signature of the domain with a selector that this host did not use then.
    package var others: Int64 = 0
    /// Those selectors.
    package var otherSelectors: [String: Int64] = [:]
    /// The reporters of messages with a signature of ours, by their organizational domain.
    package var reporters: [String: Reporter] = [:]
    /// The selectors of ours that a reporter found wrong beside another that passed, with their algorithms.
    package var unverifiable: [String: Int64] = [:]

    /// How many addresses, selectors and reporters of each are kept apart.
    private static let most = 1000

    init(_ ledger: SigningLedger, domain: String, in days: ClosedRange<Int64>) {
        begin = max(days.lowerBound, ledger.first ?? days.lowerBound)
        // Of what is signed after the last day that is reported nobody has spoken yet.
        let days = begin...max(begin, days.upperBound)
        signed = ledger.messages(of: domain, in: days)
        recipients = ledger.recipientDomains(of: domain, in: days)
    }

    /// Adds what a row says.
    ///
    /// - Parameters:
    ///   - row: the row.
    ///   - verdict: its verdict.
    ///   - ledger: what was signed.
    mutating func add(_ row: StoredRow, _ verdict: ReceivedVerdict, _ ledger: SigningLedger) {
        guard row.day >= begin else { return }
        reported &+= row.messages
        let own = verdict.signatures.filter {
            SourceInsight.isAligned($0.domain, row.domain) && $0.result != "none"
        }
        let made = own.filter {
            ledger.hasSigned(domain: $0.domain, selector: $0.selector, in: row.day...row.day)
        }
        guard made.isEmpty else {
            addOurs(row, verdict, made, ledger)
            return
        }
        guard !verdict.isPass else { return }
        guard let other = own.first else {
            unsigned &+= row.messages
            Self.add(row.messages, row.source, to: &unsignedSources)
            return
        }
        others &+= row.messages
        Self.add(
            row.messages, other.selector.isEmpty ? "(not told)" : other.selector,
            to: &otherSelectors)
    }

    private mutating func addOurs(
        _ row: StoredRow, _ verdict: ReceivedVerdict, _ made: [ReceivedVerdict.Signature],
        _ ledger: SigningLedger
    ) {
        ours &+= row.messages
        if !verdict.isPass { broken &+= row.messages }
        if verdict.isDKIMAligned {
            for signature in made where signature.result != "pass" {
                let algorithm = ledger.algorithm(
                    domain: signature.domain, selector: signature.selector)
                Self.add(
                    row.messages, "\(signature.selector) (\(algorithm))", to: &unverifiable)
            }
        }
        guard reporters[row.reporter] != nil || reporters.count < Self.most else { return }
        var reporter = reporters[row.reporter] ?? Reporter()
        reporter.messages &+= row.messages
        if !verdict.isPass {
            reporter.failed &+= row.messages
            Self.add(row.messages, row.source, to: &reporter.sources)
        }
        reporters[row.reporter] = reporter
    }

    private static func add(_ number: Int64, _ key: String, to numbers: inout [String: Int64]) {
        guard numbers[key] != nil || numbers.count < most else { return }
        numbers[key, default: 0] &+= number
    }
}
