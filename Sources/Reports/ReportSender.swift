public import MailAuth
public import MailDNS
internal import MailSyntax
public import ReportStore
internal import Threads

/// Sends what waits in an outbox.
public struct ReportSender {
    private let outbox: any ReportOutbox
    private let reporter: Reporter
    private let exclusions: ReportExclusions
    private let resolver: any DNSResolver
    private let options: DMARCOptions
    private let handover: any MailHandover
    private let bounces: BounceAddress?

    /// What has become of deliveries, by state; those that are to be tried again are waiting.
    public typealias Tally = [DeliveryState: Int]

    /// How many deliveries are taken from the outbox at once.
    private static let batch = 100
    /// How long the answers about one destination may take together, in seconds.
    private static let patience = 20.0
    /// After how many seconds the second attempt follows; each next one takes twice as long, up to
    /// `longestPause`.
    private static let firstPause: Int64 = 900
    private static let longestPause: Int64 = 4 * 3600
    /// How long after it was made a report is given up, in seconds.
    static let lifetime: Int64 = 3 * 86_400

    /// Creates a sender.
    ///
    /// - Parameters:
    ///   - outbox: what is to be sent; the claim on it must be held.
    ///   - reporter: who reports.
    ///   - exclusions: who gets no reports.
    ///   - resolver: who answers whether destinations want reports.
    ///   - options: how Organizational Domains are found.
    ///   - handover: what takes the mail.
    ///   - bounces: the envelope senders; the reporter's address where it is nil.
    public init(
        _ outbox: any ReportOutbox, by reporter: Reporter, except exclusions: ReportExclusions,
        resolver: any DNSResolver, options: DMARCOptions, handover: any MailHandover,
        bounces: BounceAddress? = nil
    ) {
        self.outbox = outbox
        self.reporter = reporter
        self.exclusions = exclusions
        self.resolver = resolver
        self.options = options
        self.handover = handover
        self.bounces = bounces
    }

    /// Sends all that is to be sent by now.
    ///
    /// - Parameters:
    ///   - now: gives the time, in seconds since 1970.
    ///   - pace: waits before each mail, as long as the manners ask.
    ///   - note: is told what has become of each delivery.
    /// - Returns: what was done.
    /// - Throws: where the outbox fails, or nothing takes mail.
    public func run(
        now: () -> Int64, pace: () -> Void = {},
        note: (Delivery, DeliveryState, String) -> Void = { _, _, _ in }
    ) throws(ReportError) -> Tally {
        var tally: Tally = [:]
        do throws(SinkError) {
            // What is put off waits for the next run, even where the clock jumps meanwhile.
            let limit = now()
            while true {
                let due = try outbox.due(at: limit, atMost: Self.batch)
                guard !due.isEmpty else { break }
                for delivery in due {
                    let outcome = try attempt(delivery, now: now, pace: pace)
                    try outbox.record(
                        delivery, outcome.state, reason: outcome.reason,
                        next: max(outcome.next, limit + 1))
                    tally[outcome.state, default: 0] += 1
                    note(delivery, outcome.state, outcome.reason)
                }
            }
        } catch {
            throw ReportError(error.description)
        }
        return tally
    }

    private struct Outcome {
        let state: DeliveryState
        var reason = ""
        var next: Int64 = 0
    }

    private func attempt(
        _ delivery: Delivery, now: () -> Int64, pace: () -> Void
    ) throws(SinkError) -> Outcome {
        guard let uri = DMARCReportURI(parsing: Array(delivery.address.utf8)[...]) else {
            return Outcome(state: .failed, reason: "it is no address")
        }
        if exclusions.contains(delivery.domain, uri) {
            return Outcome(state: .suppressed, reason: ReportExclusions.reason)
        }
        if let outcome = try restraint(of: uri, delivery, now()) { return outcome }
        switch destination(of: uri, about: delivery.domain) {
        case .refused(let reason): return Outcome(state: .refused, reason: reason)
        case .undecided(let reason): return again(delivery, reason, now())
        case .authorized(let target):
            guard let mail = try outbox.mail(of: delivery.report), let mailbox = target.mailbox
            else { return Outcome(state: .failed, reason: "the mail is gone") }
            if target != uri, exclusions.contains(delivery.domain, target) {
                return Outcome(state: .suppressed, reason: ReportExclusions.reason)
            }
            pace()
            let result: HandoverOutcome
            do throws(ReportError) {
                result = try handover.send(
                    "To: <\(mailbox.address)>\n\(mail)",
                    from: bounces?.sender(of: delivery) ?? reporter.email, to: mailbox.address)
            } catch {
                throw SinkError(error.description)
            }
            switch result {
            case .taken: return Outcome(state: .sent)
            case .never(let reason): return Outcome(state: .failed, reason: reason)
            case .later(let reason): return again(delivery, reason, now())
            }
        }
    }

    /// What becomes of a delivery to an address that has bounced; nil where it has not, or may be tried again.
    private func restraint(
        of uri: DMARCReportURI, _ delivery: Delivery, _ now: Int64
    ) throws(SinkError) -> Outcome? {
        guard let mailbox = uri.mailbox, let bounced = try outbox.bounces(of: mailbox.address),
            bounced.until > now
        else { return nil }
        let isInTime = bounced.until <= delivery.created + Self.lifetime
        return bounced.isPermanent || !isInTime
            ? Outcome(state: .suppressed, reason: bounced.reason)
            : Outcome(state: .waiting, reason: bounced.reason, next: bounced.until)
    }

    /// Where reports about a domain are to go that ask for an address, by the DNS.
    public func destination(
        of uri: DMARCReportURI, about domain: String
    ) -> DMARCReportAuthorization {
        guard let domain = try? DomainName(domain) else {
            return .refused("the policy domain is no domain name")
        }
        return DMARCReportAuthorization(
            of: uri, about: domain, options: options, resolver: resolver,
            deadline: .now() + Self.patience)
    }

    private func again(_ delivery: Delivery, _ reason: String, _ now: Int64) -> Outcome {
        let doublings = min(delivery.attempts, 8)
        let next = now + min(Self.firstPause << doublings, Self.longestPause)
        guard next <= delivery.created + Self.lifetime else {
            return Outcome(state: .failed, reason: "given up: \(reason)")
        }
        return Outcome(state: .waiting, reason: reason, next: next)
    }
}
