package import Configuration
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

    /// Nothing is kept or given.
    package init() {}

    /// Reads the directives; what is wrong is reported to the reader.
    package init(_ reader: ConfigurationReader) {
        record = FlightSettings(reader)
        metrics = MetricsSettings(reader)
        generation = "read at \(UTCTime.text(FlightRecorder.systemTime())) from \(reader.file)"
    }

    /// The directives of a daemon.
    package static func directives(_ daemon: FlightDaemon) -> [DirectiveSpec] {
        FlightSettings.directives(daemon) + [MetricsSettings.directive(daemon.shortName)]
    }
}
