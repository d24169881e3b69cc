package import FailureReports
package import MailAuth
package import MailDNS
internal import MailSyntax
package import ReportStore
internal import Threads

/// Hands over the failure reports that wait in a spool.
package struct FailureReportSender {
    private let spool: FailureSpool
    private let exclusions: ReportExclusions
    private let outbox: (any ReportOutbox)?
    private let resolver: any DNSResolver
    private let options: DMARCOptions
    private let handover: any MailHandover

    /// How long the answers about one destination may take together, in seconds.
    private static let patience = 20.0
    /// How long a report is of use, in seconds.
    private static let lifetime: Int64 = 86_400

    /// Creates a sender.
    ///
    /// - Parameters:
    ///   - spool: what is to be sent; the claim on it must be held.
    ///   - exclusions: who gets no reports.
    ///   - outbox: what is known of destinations that bounce; nil where that is not known.
    ///   - resolver: who answers whether destinations want reports.
    ///   - options: how Organizational Domains are found.
    ///   - handover: what takes the mail.
    package init(
        _ spool: FailureSpool, except exclusions: ReportExclusions, outbox: (any ReportOutbox)?,
        resolver: any DNSResolver, options: DMARCOptions, handover: any MailHandover
    ) {
        self.spool = spool
        self.exclusions = exclusions
        self.outbox = outbox
        self.resolver = resolver
        self.options = options
        self.handover = handover
    }

    /// Hands over all that waits, once.
    ///
    /// - Parameters:
    ///   - now: gives the time, in seconds since 1970.
    ///   - note: is told what has become of each report for each address.
    /// - Returns: how many there are of each state.
    /// - Throws: where the spool fails, or nothing takes mail.
    package func run(
        now: () -> Int64,
        note: (WaitingReport, String, DeliveryState, String) -> Void = { _, _, _, _ in }
    ) throws(ReportError) -> [DeliveryState: Int] {
        var tally: [DeliveryState: Int] = [:]
        do throws(FailureSpoolError) {
            for name in try spool.waiting() {
                guard let report = spool.report(name) else {
                    // Nothing that was written here: it would wait for ever.
                    try spool.remove(name)
                    continue
                }
                var rest = report
                do throws(ReportError) {
                    try send(report, now()) { address, outcome in
                        tally[outcome.state, default: 0] += 1
                        note(report, address, outcome.state, outcome.reason)
                        guard outcome.state != .waiting else { return }
                        rest.addresses.removeAll { $0 == address }
                        rest.copies.removeAll { $0 == address }
                    }
                } catch {
                    // What has been handed over is not handed over again.
                    try keep(rest)
                    throw FailureSpoolError(error.description)
                }
                try keep(rest)
            }
        } catch {
            throw ReportError(error.description)
        }
        return tally
    }

    private struct Outcome {
        let state: DeliveryState
        var reason = ""
    }

    private func keep(_ report: WaitingReport) throws(FailureSpoolError) {
        if report.addresses.isEmpty, report.copies.isEmpty {
            try spool.remove(report.id)
        } else {
            _ = try spool.keep(report)
        }
    }

    private func send(
        _ report: WaitingReport, _ now: Int64, _ settle: (String, Outcome) -> Void
    ) throws(ReportError) {
        let isLate = now > report.created + Self.lifetime
        // The administrator's copies come first, as long as all the addresses are there to be named.
        let mailboxes = report.addresses.compactMap { Self.uri($0)?.mailbox?.address }
        for copy in report.copies {
            let named = mailboxes.isEmpty ? [copy] : mailboxes
            let to = named.map { "<\($0)>" }.joined(separator: ",\n ")
            settle(copy, late(try hand(report, over: copy, to: to), isLate))
        }
        for address in report.addresses {
            settle(address, late(try attempt(address, report, now), isLate))
        }
    }

    private func late(_ outcome: Outcome, _ isLate: Bool) -> Outcome {
        guard isLate, outcome.state == .waiting else { return outcome }
        return Outcome(state: .failed, reason: "given up: \(outcome.reason)")
    }

    private func attempt(
        _ address: String, _ report: WaitingReport, _ now: Int64
    ) throws(ReportError) -> Outcome {
        guard let uri = Self.uri(address), let mailbox = uri.mailbox,
            let text = report.policyDomain, let domain = try? DomainName(text)
        else { return Outcome(state: .failed, reason: "it is no address") }
        guard !exclusions.contains(text, uri) else {
            return Outcome(state: .suppressed, reason: ReportExclusions.reason)
        }
        if let bounced = try? outbox?.bounces(of: mailbox.address), bounced.until > now {
            return Outcome(state: .suppressed, reason: bounced.reason)
        }
        let authorization = DMARCReportAuthorization(
            of: uri, about: domain, kind: .failure, options: options, resolver: resolver,
            deadline: .now() + Self.patience)
        switch authorization {
        case .refused(let reason): return Outcome(state: .refused, reason: reason)
        case .undecided(let reason): return Outcome(state: .waiting, reason: reason)
        case .authorized(let target):
            guard let mailbox = target.mailbox else {
                return Outcome(state: .failed, reason: "it is no address")
            }
            if target != uri, exclusions.contains(text, target) {
                return Outcome(state: .suppressed, reason: ReportExclusions.reason)
            }
            return try hand(report, over: mailbox.address, to: "<\(mailbox.address)>")
        }
    }

    private func hand(
        _ report: WaitingReport, over recipient: String, to: String
    ) throws(ReportError) -> Outcome {
        let mail = "To: \(to)\n" + String(decoding: report.mail, as: UTF8.self)
        switch try handover.send(mail, from: report.sender, to: recipient) {
        case .taken: return Outcome(state: .sent)
        case .later(let reason): return Outcome(state: .waiting, reason: reason)
        case .never(let reason): return Outcome(state: .failed, reason: reason)
        }
    }

    private static func uri(_ text: String) -> DMARCReportURI? {
        DMARCReportURI(parsing: Array(text.utf8)[...])
    }
}
