import Configuration
import DaemonKit
import DaemonResolver
import FlightRecord
import MailDNS
import MilterService
import Observation
import SigningLog
import Threads
import UnboundDNS

/// The DKIM milter.
@main
enum SignetDKIM: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "dkim", version: Version.current,
        summary: "Signs outgoing mail with DKIM and verifies incoming mail, as a milter.",
        directives: DKIMDirectives.all, extraOptions: [.replay])

    static func load(_ reader: ConfigurationReader) -> DKIMConfiguration? {
        DKIMConfiguration(reading: reader)
    }

    static func check(_ settings: DKIMConfiguration, _ reader: ConfigurationReader) {
        if let directory = settings.keys.directory {
            KeyDirectoryReader(reader: reader).check(directory)
        }
    }

    static func summary(of settings: DKIMConfiguration) -> String {
        let signs = settings.keys.summary.map { "signing \($0)" } ?? "signing nothing"
        switch settings.mode {
        case .sign: return signs
        case .verify: return "verifying"
        default: return "\(signs); verifying"
        }
    }

    static func serve(_ context: DaemonContext<DKIMConfiguration>) -> ExitCode {
        let observer = Observer(
            context.settings.current.observation, daemon: .dkim, log: context.log)
        defer { observer.close() }
        context.onReload { observer.reloaded($0) }
        let log = context.log
        let signingLog = SigningLog(
            context.settings.current.signingLog, seconds: TimeSource.system.seconds,
            report: { log.warning($0) })
        defer { signingLog?.close() }
        guard let services = services(context.settings, context.log, observer, signingLog) else {
            return .configuration
        }
        return MilterServer.serve(
            context, name: description.name, transport: context.settings.current.transport
        ) { DKIMFilter(services: services) }
    }

    static func evaluate(
        files: [String], settings: DKIMConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        guard let services = services(Snapshot(settings), log) else { return .configuration }
        let evaluation = FileVerification(services: services)
        return files.map(evaluation.evaluate).first { $0 != .ok } ?? .ok
    }

    static func replay(
        _ input: [UInt8], settings: DKIMConfiguration, log: Log
    ) -> [UInt8]? {
        // Started for the first entry that asks for the DNS of today.
        var today: UnboundResolver?
        return EntryReplay.entries(of: input, daemon: .dkim) { occasion in
            if occasion.asksAgain, today == nil {
                today = try? UnboundResolver(settings.resolver.options) { _ in }
            }
            return DKIMReplay.decide(occasion, settings, today: today)
        }
    }

    /// Puts together what all sessions share; nil, with a line in the log, where the resolver cannot start.
    private static func services(
        _ settings: Snapshot<DKIMConfiguration>, _ log: Log, _ observer: Observer = .silent,
        _ signingLog: SigningLog? = nil
    ) -> DKIMServices? {
        let configuration = settings.current
        if let records = configuration.testKeys {
            return DKIMServices(
                configuration: settings, resolver: ZoneResolver(records: records), log: log,
                observer: observer, signingLog: signingLog)
        }
        do throws(UnboundResolver.SetupError) {
            let resolver = try UnboundResolver(configuration.resolver.options) { state in
                if case .down = state { log.warning("\(state)") } else { log.notice("\(state)") }
            }
            return DKIMServices(
                configuration: settings, resolver: resolver, log: log, observer: observer,
                signingLog: signingLog)
        } catch {
            log.error("the resolver cannot start: \(error)")
            return nil
        }
    }
}
