package import Configuration
package import DaemonKit
package import FlightRecord
package import Metrics

/// What the configuration says about what a daemon keeps and counts.
package struct ObservationSettings: Hashable, Sendable {
    /// The record.
    package var record = FlightSettings.none
    /// The metrics.
    package var metrics = MetricsSettings.none

    /// Which reading of the configuration this is, in words.
    package var generation = ""

    /// Whether nothing is done, and only compared with what another filter does.
    package var isShadow = false

    /// Nothing is kept or given.
    package init() {}

    /// Reads the directives; what is wrong is reported to the reader.
    package init(_ reader: ConfigurationReader) {
        record = FlightSettings(reader)
        metrics = MetricsSettings(reader)
        isShadow = reader.schema["Shadow"] != nil && reader.boolean("Shadow")
        if isShadow {
            reader.report(.notice, "Shadow", "changes nothing: what would be done is only compared")
        }
        generation = "read at \(UTCTime.text(FlightRecorder.systemTime())) from \(reader.file)"
    }

    private static let shadow = DirectiveSpec(
        "Shadow", .boolean, default: "no",
        "Changes nothing; says where another filter did otherwise than this one would.")

    /// Where lines about messages go: where nothing is done they say so.
    package func log(_ log: Log) -> Log {
        guard isShadow else { return log }
        return Log(level: log.level) { level, text in
            // Behind the queue id, by which lines are searched for.
            let parts = text.split(separator: ": ", maxSplits: 1)
            log.log(level, "\(parts[0]): shadow: \(parts.count > 1 ? parts[1] : "")")
        }
    }

    /// The directives of a daemon.
    package static func directives(_ daemon: FlightDaemon) -> [DirectiveSpec] {
        FlightSettings.directives(daemon) + [MetricsSettings.directive(daemon.shortName)]
            // Nobody else does what the scrub filter does.
            + (daemon == .scrub ? [] : [shadow])
    }
}
