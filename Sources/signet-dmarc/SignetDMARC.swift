import Configuration
import DaemonKit
import DaemonResolver
import MilterService
import UnboundDNS

/// The DMARC milter.
@main
enum SignetDMARC: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "dmarc", version: Version.current,
        summary: "evaluates SPF, DKIM, ARC and DMARC of incoming mail, as a milter",
        directives: DMARCDirectives.all, extraOptions: [.configurationAsC])

    static func load(_ reader: ConfigurationReader) -> DMARCConfiguration? {
        DMARCConfiguration(reading: reader)
    }

    static func serve(_ context: DaemonContext<DMARCConfiguration>) -> ExitCode {
        let records = Records(context.settings.current.records, log: context.log)
        guard let services = services(context.settings, records, context.log) else {
            return .configuration
        }
        defer { records.close() }
        return MilterServer.serve(
            context, name: description.name, transport: context.settings.current.transport
        ) { DMARCFilter(services: services) }
    }

    static func evaluate(
        files: [String], settings: DMARCConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        let records = Records(RecordPolicy(), log: log)
        guard let services = services(Snapshot(settings), records, log) else {
            return .configuration
        }
        let evaluation = FileEvaluation(services: services)
        return files.map(evaluation.evaluate).first { $0 != .ok } ?? .ok
    }

    /// Puts together what all sessions share; nil, with a line in the log, where the resolver cannot start.
    private static func services(
        _ settings: Snapshot<DMARCConfiguration>, _ records: Records, _ log: Log
    ) -> DMARCServices? {
        do throws(UnboundResolver.SetupError) {
            let resolver = try UnboundResolver(settings.current.resolver.options)
            return DMARCServices(
                configuration: settings, resolver: resolver, records: records, log: log)
        } catch {
            log.error("the resolver cannot start: \(error)")
            return nil
        }
    }
}
