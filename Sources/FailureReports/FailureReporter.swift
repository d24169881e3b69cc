internal import MailAuth
internal import MailCrypto
internal import MailSyntax
package import Threads

/// Makes failure reports on a thread of its own, so that nobody who answers mail ever waits for one.
///
/// What is too much, by the limits or as the thread cannot keep up, is left out: it costs the answering path a lock.
package final class FailureReporter: Sendable {
    private struct Job: Sendable {
        let message: FailedMessage
        let request: FailureRequest
        let incidents: Int
    }

    private struct State: Sendable {
        var limiter: FailureReportLimiter
        var jobs: [Job] = []
        var isBusy = false
        var isClosed = false
    }

    private let settings: FailureReportSettings
    private let state: Monitor<State>

    /// How many reports may wait to be made: each may hold a header section.
    private static let mostJobs = 32
    /// How long an end waits for what is left to be made, in seconds.
    private static let shutdownTimeout = 5.0

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - settings: what is reported, where to, and by whom.
    ///   - generator: the program, with its version.
    ///   - report: takes lines about failures, from that thread.
    package init(
        _ settings: FailureReportSettings, by generator: String,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.settings = settings
        state = Monitor(State(limiter: FailureReportLimiter(perHour: settings.perHour)))
        let state = state
        let hasStarted = startThread {
            var maker = FailureReportMaker(settings, by: generator, report: report)
            while let job = Self.next(state) {
                maker.make(job.message, job.request, incidents: job.incidents)
                state.update { $0.isBusy = false }
            }
        }
        if !hasStarted { report("FailureReports: there is no thread to make them") }
    }

    /// Has a report made about a message, if it is wanted and the limits leave room; never waits.
    ///
    /// - Parameters:
    ///   - message: the message.
    ///   - now: the time, of the monotonic clock.
    /// - Returns: whether one is made.
    @discardableResult
    package func consider(_ message: FailedMessage, now: MonotonicTime) -> Bool {
        guard
            let request = FailureRequest(
                message, onNone: settings.onNone, always: !settings.copies.isEmpty)
        else { return false }
        let hosts = Set(request.addresses.compactMap { $0.mailbox?.domain.ascii })
        let domain = request.policyDomain ?? message.author.domain.ascii
        let second = Int64(clamping: now.nanoseconds / 1_000_000_000)
        return state.update { state in
            guard !state.isClosed, state.jobs.count < Self.mostJobs,
                let incidents = state.limiter.admit(domain, to: hosts, at: second)
            else { return false }
            state.jobs.append(Job(message: message, request: request, incidents: incidents))
            return true
        }
    }

    /// Ends: what waits is made, if that can be done within some seconds.
    package func close() {
        state.update { $0.isClosed = true }
        _ = state.wait(until: .now() + Self.shutdownTimeout) { state in
            state.jobs.isEmpty && !state.isBusy ? true : nil
        }
    }

    private static func next(_ state: Monitor<State>) -> Job? {
        state.wait(until: .distantFuture) { state -> Job?? in
            guard !state.jobs.isEmpty else { return state.isClosed ? .some(nil) : nil }
            state.isBusy = true
            return state.jobs.removeFirst()
        } ?? nil
    }
}

/// Makes reports, and puts them into the spool.
private struct FailureReportMaker {
    private let settings: FailureReportSettings
    private let generator: String
    private let report: (String) -> Void
    private let spool: FailureSpool
    private var key: [UInt8]?
    private var number = 0

    init(
        _ settings: FailureReportSettings, by generator: String, report: @escaping (String) -> Void
    ) {
        self.settings = settings
        self.generator = generator
        self.report = report
        spool = FailureSpool(path: settings.directory)
    }

    mutating func make(_ message: FailedMessage, _ request: FailureRequest, incidents: Int) {
        do throws(FailureSpoolError) {
            try spool.make()
            let key = if let known = self.key { known } else { try spool.key() }
            self.key = key
            number += 1
            let id = id(of: message, key)
            let mail = FailureReportMail(
                from: settings.from, generator: generator,
                redactor: settings.redacts ? Redactor(key: key) : nil)
            let waiting = WaitingReport(
                id: id, created: message.received, policyDomain: request.policyDomain,
                sender: settings.sender, addresses: request.addresses.map(\.text),
                copies: settings.copies,
                mail: mail.octets(message, request.trigger, incidents: incidents, id: id))
            if try !spool.keep(waiting) {
                report("FailureReports: \(FailureSpool.mostReports) reports wait; one is dropped")
            }
        } catch {
            report("FailureReports: a report cannot be kept: \(error)")
        }
    }

    /// The time, so that names have the order of reports, and what nobody can know beforehand.
    private func id(of message: FailedMessage, _ key: [UInt8]) -> String {
        let seed = "\(message.received) \(message.queueID ?? "") \(number)"
        let code = HMAC.code(of: Array(seed.utf8) + message.header.bytes, key: key)
        let digits = code.prefix(16).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
        return "\(message.received)-\(digits.joined())"
    }
}
