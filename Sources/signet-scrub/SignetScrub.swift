import Configuration
import DaemonKit
import FlightRecord
import HeaderScrub
import MilterService
import Observation

/// The header privacy milter.
@main
enum SignetScrub: DaemonProgram {
    static let description = DaemonDescription(
        shortName: "scrub", version: Version.current,
        summary: "Removes from submitted mail what identifies users, as a milter.",
        directives: ScrubDirectives.all + ObservationSettings.directives(.scrub),
        extraOptions: [.replay])

    static func load(_ reader: ConfigurationReader) -> ScrubConfiguration? {
        ScrubConfiguration(reading: reader)
    }

    static func summary(of settings: ScrubConfiguration) -> String {
        settings.policy.replacesOwnReceived
            ? "hiding users in submitted mail, also in the MTA's own Received field"
            : "hiding users in submitted mail"
    }

    static func serve(_ context: DaemonContext<ScrubConfiguration>) -> ExitCode {
        let observer = Observer(
            context.settings.current.observation, daemon: .scrub, log: context.log)
        defer { observer.close() }
        context.onReload { observer.reloaded($0) }
        let services = ScrubServices(
            configuration: context.settings, log: context.log, observer: observer)
        return MilterServer.serve(
            context, name: description.name, transport: context.settings.current.transport
        ) { ScrubFilter(services: services) }
    }

    static func evaluate(
        files: [String], settings: ScrubConfiguration, verbosity: Int, log: Log
    ) -> ExitCode {
        let preview = ScrubPreview(policy: settings.policy, log: log)
        return files.map(preview.evaluate).first { $0 != .ok } ?? .ok
    }

    static func replay(
        _ input: [UInt8], settings: ScrubConfiguration, log: Log
    ) -> [UInt8]? {
        EntryReplay.entries(of: input, daemon: .scrub) { ScrubReplay.decide($0, settings) }
    }
}
