import Configuration
import DaemonKit
import HeaderScrub
import Milter

/// The header privacy milter.
@main
enum SignetScrub: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "scrub", version: Version.current,
        summary: "takes what gives users away out of submitted mail, as a milter",
        directives: ScrubDirectives.all)

    static func load(_ reader: ConfigurationReader) -> ScrubConfiguration? {
        ScrubConfiguration(reading: reader)
    }

    static func serve(_ context: DaemonContext<ScrubConfiguration>) -> ExitCode {
        guard case .listener(let listener) = context.endpoint else { return .usage }
        let services = Services(configuration: context.settings, log: context.log)
        context.onStop { MilterServer.drain() }
        // A start touches much that is never used again.
        UnusedMemory.release()
        do throws(MilterServerError) {
            try MilterServer.run(
                listening: listener,
                options: MilterServer.Options(name: description.name) { context.log.error($0) }
            ) { ScrubFilter(services: services) }
            return .ok
        } catch {
            context.log.error("\(error)")
            return .software
        }
    }

    static func evaluate(
        files: [String], settings: ScrubConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        let evaluation = MessageEvaluation(policy: settings.policy, log: log)
        return files.map(evaluation.evaluate).first { $0 != .ok } ?? .ok
    }
}
