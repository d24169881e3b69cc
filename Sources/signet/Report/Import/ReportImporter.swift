import DaemonKit
import Foundation
import Glibc
import MailSyntax
import ReportReading
import ReportStore
import Reports

/// Reads mails and files, adds their reports to the store, and keeps aside what it cannot take.
///
/// What is kept aside may be read again: what can be taken at last leaves the folder, and the rest stays there.
final class ReportImporter {
    /// What became of a report.
    enum Status: String, CaseIterable {
        case imported, duplicate, refused, foreign
    }

    /// A report, or what should have been one, and what became of it.
    struct Outcome {
        var status: Status
        var origin: String
        var report: ReceivedReport?
        var refusal: ReportRefusal?
        var kept = ""
        /// Whether it came in a mail of which nobody knows whose it is.
        var isUnauthenticated = false

        /// Where it is kept aside; nil where it is not.
        var place: KeptAside.Place? {
            switch status {
            case .imported, .duplicate: nil
            case .foreign: .foreign
            case .refused: isUnauthenticated ? .unauthenticated : .refused
            }
        }
    }

    private let store: ReceivedReportStore
    private let domains: OwnDomains
    private let aside: KeptAside
    private let limits: ReadingLimits
    /// What is asked of the mails themselves; nil for nothing.
    private let authentication: MailAuthentication?
    private let now: Int64
    /// Called with each outcome, in the order in which they were read.
    private let tell: (Outcome) -> Void
    private var waiting: [Outcome] = []
    /// What those count that are not written yet, by their identity.
    private var unwritten: [[String]: ReportNumbers] = [:]
    private var refusals: [ReceivedRefusal] = []
    /// The names of what was looked at again in this batch, of which earlier refusals hold no longer.
    private var again: Set<String> = []
    /// What leaves the folder, once it is written.
    private var leaving: [KeptAside.Kept] = []
    private var rows = 0
    /// The files whose reports are not written yet, where they are to be removed.
    private var done: [String] = []
    private let removes: Bool
    private let storeLimit: Int64
    /// How many reports were forgotten, as the store has its limit.
    private(set) var forgotten: Int64 = 0
    /// How many there were of each.
    private(set) var tally: [Status: Int] = [:]

    /// How many reports, and how many of their rows, are written at once.
    private static let batch = 1000
    private static let rowBatch = 20_000
    /// How long one mail or file may take, in seconds of the processor: how busy the host is makes no difference.
    private static let patience = 60.0
    /// How many days ahead of ours a reporter's clock may be.
    private static let future: Int64 = 7

    init(
        _ store: ReceivedReportStore, of domains: OwnDomains, aside: KeptAside,
        limits: ReadingLimits = ReadingLimits(), sent authentication: MailAuthentication? = nil,
        storeLimit: Int64 = ReceivedReportStore.defaultLimit, removes: Bool = false, at now: Int64,
        tell: @escaping (Outcome) -> Void
    ) {
        self.store = store
        self.domains = domains
        self.aside = aside
        self.limits = limits
        self.authentication = authentication
        self.removes = removes
        self.storeLimit = storeLimit
        self.now = now
        self.tell = tell
    }

    /// Takes a mail or a file; what comes of it is durable after `finish()`.
    func take(_ item: ImportSource.Item) throws {
        let found: [FoundReport]
        var objection: String?
        if item.isTooLarge {
            let reason = "it has more than \(limits.message >> 20) MB, which is not read"
            found = [.refused(ReportRefusal(nil, reason))]
        } else if let reason = authentication?.objection(to: item) {
            // Of a stranger's heap not even the archives are opened.
            objection = reason
            found = [.refused(ReportRefusal(nil, reason))]
        } else {
            var limits = limits
            let start = Self.processorTime()
            limits.isOutOfTime = { Self.processorTime() - start > Self.patience }
            found = ReportReader.read(item.octets, name: item.name, limits: limits)
        }
        var outcomes = try found.map { try outcome($0, item) }
        for index in outcomes.indices { outcomes[index].isUnauthenticated = objection != nil }
        let earlier = item.path.flatMap { aside.kept(at: $0) }
        var (isHere, kept) = (false, Set<String>())
        for folder in KeptAside.Place.allCases {
            let places = outcomes.indices.filter { outcomes[$0].place == folder }
            guard !places.isEmpty else { continue }
            let reasons = places.map { reason(of: outcomes[$0]) }
            // The file itself is still where it was: only its beginning is kept of what is too large.
            let octets = item.isTooLarge ? Array(item.octets.prefix(1 << 20)) : item.octets
            let origin = earlier?.origin ?? item.origin
            let name = try aside.keep(
                octets, because: "\(origin): \(reasons.joined(separator: "\n"))", in: folder)
            isHere = isHere || (folder == earlier?.place && name == earlier?.name)
            if again.insert(name).inserted == false, kept.isEmpty {
                // The same mail twice in this batch.
                refusals.removeAll { $0.kept == name }
            }
            kept.insert(name)
            for place in places {
                outcomes[place].kept = name
                remember(outcomes[place])
            }
        }
        waiting += outcomes
        // Of what is too large only the beginning is kept aside: the file itself has to stay.
        if let earlier {
            again.insert(earlier.name)
            if !isHere { leaving.append(earlier) }
        } else if removes, !item.isTooLarge, let path = item.path {
            done.append(path)
        }
        rows += outcomes.reduce(0) { $0 + Self.rows(of: $1) }
        if waiting.count >= Self.batch || rows >= Self.rowBatch { try finish() }
    }

    private static func processorTime() -> Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// How many rows of the store an outcome has.
    private static func rows(of outcome: Outcome) -> Int {
        guard let report = outcome.report else { return 0 }
        return report.counts.count + report.sessions.reduce(0) { $0 + 1 + $1.failures.count }
    }

    /// Writes what is not yet written.
    func finish() throws {
        do throws(SinkError) {
            let places = waiting.indices.filter { waiting[$0].status == .imported }
            if !places.isEmpty {
                let reports = places.compactMap { waiting[$0].report }
                let areNew = try store.add(reports, at: now)
                for (place, isNew) in zip(places, areNew) where !isNew {
                    waiting[place].status = .duplicate
                }
            }
            if !refusals.isEmpty || !again.isEmpty {
                try store.remember(refusals, replacing: again)
            }
        } catch {
            throw CommandFailure(
                .tempFail, "the store cannot be written, and nothing is lost: \(error)")
        }
        for outcome in waiting {
            tally[outcome.status, default: 0] += 1
            tell(outcome)
        }
        for path in done { unsafe unlink(path) }
        for kept in leaving { aside.release(kept) }
        (waiting, refusals, rows, done) = ([], [], 0, [])
        (again, leaving, unwritten) = ([], [], [:])
        try makeRoom()
    }

    private func makeRoom() throws {
        let gone: ReceivedReportStore.Forgotten?
        do {
            gone = try store.makeRoom(below: storeLimit)
        } catch {
            throw CommandFailure(.tempFail, "the store cannot be kept below its limit: \(error)")
        }
        guard let gone else { return }
        forgotten += gone.reports
        complain(
            "the store has outgrown --limit: \(gone.reports) reports about days before "
                + "\(CalendarDay(number: gone.before)) are forgotten")
    }

    private func outcome(_ found: FoundReport, _ item: ImportSource.Item) throws -> Outcome {
        switch found {
        case .report(var report):
            // It would never be forgotten, and whatever is recent would seem old beside it.
            if report.day > now / 86_400 + Self.future {
                return refused(report, "its period is in the future", item)
            }
            let isOurs = domains.contains(report.domain)
            // The kinds without an identifier of their own are known by what they are.
            if report.id.isEmpty { report.id = "\(report.begin)-\(report.end)" }
            if isOurs, let reason = try contradiction(by: &report) {
                return refused(report, reason, item)
            }
            return Outcome(
                status: isOurs ? .imported : .foreign, origin: item.origin, report: report)
        case .refused(let refusal):
            return Outcome(status: .refused, origin: item.origin, refusal: refusal)
        }
    }

    private func refused(
        _ report: ReceivedReport, _ reason: String, _ item: ImportSource.Item
    ) -> Outcome {
        var refusal = ReportRefusal(report.kind, reason)
        refusal.reporter = report.reporter
        refusal.id = report.id
        refusal.domain = report.domain
        refusal.notes = report.notes
        return Outcome(status: .refused, origin: item.origin, refusal: refusal)
    }

    /// What a report that is there already under the same identifier says otherwise; nil where none is, or where it says the same.
    ///
    /// One about other days is another report: it gets an identifier of its own.
    private func contradiction(by report: inout ReceivedReport) throws -> String? {
        let numbers = report.numbers
        for isFirst in [true, false] {
            let identity = report.identity
            guard let known = try unwritten[identity] ?? stored(report) else {
                unwritten[identity] = numbers
                return nil
            }
            if known == numbers { return nil }
            guard isFirst, known.isApart(from: numbers) else {
                return "a report of this identifier is counted already, and says something else: "
                    + "\(Self.words(known)), not \(Self.words(numbers))"
            }
            report.notes.append(
                "its identifier is that of a report about other days, too, and has to be unique "
                    + "(RFC 9990, Report-ID)")
            report.id += " (\(CalendarDay(number: report.day)))"
        }
        return nil
    }

    private func stored(_ report: ReceivedReport) throws -> ReportNumbers? {
        do throws(SinkError) {
            return try store.numbers(ofReportLike: report)
        } catch {
            throw CommandFailure(
                .tempFail, "the store cannot be read, and nothing is lost: \(error)")
        }
    }

    /// What a report counts, in words.
    private static func words(_ numbers: ReportNumbers) -> String {
        let days = [numbers.begin, numbers.end].map { "\(CalendarDay(number: $0 / 86_400))" }
        return "\(numbers.messages) messages of which \(numbers.passed) passed, "
            + "\(numbers.records) records, \(Set(days).sorted().joined(separator: " to "))"
    }

    private func reason(of outcome: Outcome) -> String {
        if let refusal = outcome.refusal {
            return ([refusal.reason] + refusal.notes.map { "- \($0)" }).joined(separator: "\n")
        }
        return Self.foreignReason(outcome.report?.domain ?? "")
    }

    /// Why a report about somebody else is not counted.
    static func foreignReason(_ domain: String) -> String {
        "it is about \(domain), which is not one of the domains that reports are counted for"
    }

    private func remember(_ outcome: Outcome) {
        var refusal = ReceivedRefusal(received: now)
        refusal.isForeign = outcome.status == .foreign
        refusal.kind = outcome.report?.kind ?? outcome.refusal?.kind
        refusal.reporter = outcome.report?.reporter ?? outcome.refusal?.reporter ?? ""
        refusal.id = outcome.report?.id ?? outcome.refusal?.id ?? ""
        refusal.domain = outcome.report?.domain ?? outcome.refusal?.domain ?? ""
        refusal.reason =
            outcome.refusal?.reason ?? Self.foreignReason(outcome.report?.domain ?? "")
        refusal.notes = outcome.report?.notes ?? outcome.refusal?.notes ?? []
        refusal.kept = outcome.kept
        refusals.append(refusal)
    }
}
