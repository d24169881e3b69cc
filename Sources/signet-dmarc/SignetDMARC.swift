import Configuration
import DaemonKit
import DaemonResolver
import FailureReports
import FlightRecord
import MilterService
import Observation
import ReportStore
import Threads
import UnboundDNS

/// The DMARC milter.
@main
enum SignetDMARC: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "dmarc", version: Version.current,
        summary: "Evaluates SPF, DKIM, ARC and DMARC of incoming mail, as a milter.",
        directives: DMARCDirectives.all, extraOptions: [.configurationAsC, .replay])

    static func load(_ reader: ConfigurationReader) -> DMARCConfiguration? {
        DMARCConfiguration(reading: reader)
    }

    static func summary(of settings: DMARCConfiguration) -> String {
        let dispositions = settings.dispositions
        let acts: [String?] = [
            dispositions.rejects ? "rejecting failures" : "rejecting nothing",
            dispositions.holds ? "holding what is to be quarantined" : nil,
            recording(settings.records.store),
        ]
        return "evaluating incoming mail; \(acts.compactMap(\.self).joined(separator: ", "))"
    }

    /// Where evaluations go; a URL is not shown, as it may have a password.
    private static func recording(_ store: StoreLocation?) -> String {
        switch store {
        case .file(let path): "recording in \(path)"
        case nil: "recording nothing"
        case .postgreSQL: "recording in PostgreSQL"
        }
    }

    static func writtenFiles(_ settings: DMARCConfiguration) -> [WrittenFile] {
        var store: WrittenFile?
        if case .file(let path)? = settings.records.store {
            // "SQLite format 3" and NUL begin every database file (sqlite.org/fileformat2.html, section 1.3).
            store = WrittenFile(
                directive: "ReportStore", path: path, signature: Array("SQLite format 3\0".utf8),
                kind: "an SQLite database")
        }
        let history = settings.records.historyFile.map {
            WrittenFile(directive: "HistoryFile", path: $0, kind: "a history file")
        }
        return [store, history].compactMap(\.self)
    }

    static func serve(_ context: DaemonContext<DMARCConfiguration>) -> ExitCode {
        let records = Records(context.settings.current.records, log: context.log)
        let log = context.log
        let settings = context.settings.current.failures
        let failures =
            settings.isOn
            ? FailureReporter(settings, by: "Signet \(Version.current)") { log.warning($0) } : nil
        let observer = Observer(
            context.settings.current.observation, daemon: .dmarc, log: context.log)
        defer { observer.close() }
        context.onReload { observer.reloaded($0) }
        let reports = ReportMetrics(context.settings.current.records.store, records)
        observer.give { reports.families(now: TimeSource.system.seconds()) }
        guard let services = services(context.settings, records, failures, log, observer) else {
            return .configuration
        }
        defer {
            failures?.close()
            records.close()
        }
        return MilterServer.serve(
            context, name: description.name, transport: context.settings.current.transport
        ) { DMARCFilter(services: services) }
    }

    static func evaluate(
        files: [String], settings: DMARCConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        let records = Records(RecordPolicy(), log: log)
        guard let services = services(Snapshot(settings), records, nil, log) else {
            return .configuration
        }
        let evaluation = FileEvaluation(services: services)
        return files.map(evaluation.evaluate).first { $0 != .ok } ?? .ok
    }

    static func replay(
        _ input: [UInt8], settings: DMARCConfiguration, log: Log
    ) -> [UInt8]? {
        // Started for the first entry that asks for the DNS of today.
        var today: UnboundResolver?
        return EntryReplay.entries(of: input, daemon: .dmarc) { occasion in
            if occasion.asksAgain, today == nil {
                today = try? UnboundResolver(settings.resolver.options) { _ in }
            }
            return DMARCReplay.decide(occasion, settings, today: today)
        }
    }

    /// Puts together what all sessions share; nil, with a line in the log, where the resolver cannot start.
    private static func services(
        _ settings: Snapshot<DMARCConfiguration>, _ records: Records, _ failures: FailureReporter?,
        _ log: Log, _ observer: Observer = .silent
    ) -> DMARCServices? {
        do throws(UnboundResolver.SetupError) {
            let resolver = try UnboundResolver(settings.current.resolver.options) { state in
                if case .down = state { log.warning("\(state)") } else { log.notice("\(state)") }
            }
            return DMARCServices(
                configuration: settings, resolver: resolver, records: records, failures: failures,
                log: log, observer: observer)
        } catch {
            log.error("the resolver cannot start: \(error)")
            return nil
        }
    }
}
