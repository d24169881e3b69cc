internal import MailAuth
internal import MailSyntax
public import ReportStore

/// Makes the reports of a day out of the store, and puts them into the outbox.
public struct ReportComposer {
    private let store: any ReportStore
    private let outbox: any ReportOutbox
    private let reporter: Reporter
    private let exclusions: ReportExclusions

    /// How many reports of a day are kept at most: whoever makes up more domains gets no more
    /// reports for it.
    public static let mostReports = 50_000

    /// Creates a composer.
    ///
    /// - Parameters:
    ///   - store: what was counted.
    ///   - outbox: what takes the reports.
    ///   - reporter: who reports.
    ///   - exclusions: who gets no reports.
    public init(
        from store: any ReportStore, to outbox: any ReportOutbox, by reporter: Reporter,
        except exclusions: ReportExclusions
    ) {
        self.store = store
        self.outbox = outbox
        self.reporter = reporter
        self.exclusions = exclusions
    }

    /// Makes the reports of a day that are not there yet, and records that the day is done.
    ///
    /// A run that ends before that, however it ends, is gone on with by the next.
    ///
    /// - Parameters:
    ///   - day: the UTC day, in days since 1970; it must be over.
    ///   - finishes: whether the day is then done; otherwise it is looked at again.
    ///   - now: the time, in seconds since 1970.
    ///   - spread: over how many seconds from now they are to be sent.
    /// - Returns: how many reports were made, and how many were left out for their number.
    /// - Throws: why that is not possible.
    public func compose(
        _ day: Int64, finishes: Bool = true, at now: Int64, spreadOver spread: Int64 = 0
    ) throws(ReportError) -> (made: Int, leftOut: Int) {
        var (made, leftOut) = (0, 0)
        do throws(SinkError) {
            var found = 0
            var batch = ReportBatch()
            for policy in try store.policies(on: day) {
                let addresses = ReportDestinations.addresses(of: policy.policy)
                let identity = ReportIdentity(policy.policy, day: day, receiver: reporter.domain)
                guard !addresses.isEmpty else { continue }
                found += 1
                guard found <= Self.mostReports else {
                    leftOut += 1
                    continue
                }
                if try outbox.has(identity.reportID) { continue }
                let reports = try outgoing(policy, day, addresses, at: now, spreadOver: spread)
                batch.reports += reports
                batch.octets += reports.reduce(0) { $0 + $1.mail.utf8.count }
                made += reports.count
                if batch.isFull {
                    try outbox.add(batch.reports)
                    batch = ReportBatch()
                }
            }
            if !batch.reports.isEmpty { try outbox.add(batch.reports) }
            if finishes { try outbox.finish(day) }
        } catch {
            throw ReportError(error.description)
        }
        return (made, leftOut)
    }

    private func outgoing(
        _ policy: PublishedPolicy, _ day: Int64, _ addresses: [DMARCReportURI], at now: Int64,
        spreadOver spread: Int64
    ) throws(SinkError) -> [OutgoingReport] {
        var reports: [OutgoingReport] = []
        do throws(ReportError) {
            try AggregateReport.each(of: policy, day: day, from: store, by: reporter) {
                report throws(ReportError) in
                let compressed = try Gzip.compressed(report.document)
                let mail = ReportMail.text(report.identity, compressed, by: reporter, at: now)
                let next = now + Self.delay(report.identity, spread)
                let destinations = addresses.map { address in
                    if exclusions.contains(policy.policy.domain, address) {
                        return OutgoingReport.Destination(
                            address.text, state: .suppressed, reason: ReportExclusions.reason,
                            next: next)
                    }
                    if let limit = address.sizeLimit, compressed.count > limit {
                        return OutgoingReport.Destination(
                            address.text, state: .refused,
                            reason: "it has \(compressed.count) octets, and \(address.published)",
                            next: next)
                    }
                    return OutgoingReport.Destination(address.text, state: .waiting, next: next)
                }
                let isForNobody = destinations.allSatisfy { $0.state != .waiting }
                reports.append(
                    OutgoingReport(
                        id: report.identity.reportID, day: day, domain: policy.policy.domain,
                        messages: report.messages, mail: isForNobody ? "" : mail, created: now,
                        destinations: destinations))
            }
        } catch {
            throw SinkError(error.description)
        }
        return reports
    }

    /// A delay below a bound that only depends on the report, so that reports are spread evenly.
    private static func delay(_ identity: ReportIdentity, _ bound: Int64) -> Int64 {
        guard bound > 0 else { return 0 }
        return (Int64(identity.reportID.prefix(8), radix: 16) ?? 0) % bound
    }
}

/// Reports that are kept at once: each time, the store waits for the disk.
private struct ReportBatch {
    var reports: [OutgoingReport] = []
    var octets = 0

    private static let mostReports = 256
    private static let mostOctets = 4 << 20

    var isFull: Bool { reports.count >= Self.mostReports || octets >= Self.mostOctets }
}
