import ArgumentParser
import Configuration
import FlightRecord
import Glibc
import Metrics

/// Where the daemons keep their records and give their metrics: as their configurations say.
struct RecordOptions: ParsableArguments {
    @Option(
        name: .customLong("config"), help: "The directory of the daemons' configuration files.")
    var directory = "/etc/signet"

    /// The settings of a daemon, as far as its file can be read; nil where it has no file and is not the usual one.
    private func reader(_ daemon: FlightDaemon) -> ConfigurationReader? {
        let file = "\(directory)/\(daemon.shortName).conf"
        let isThere = unsafe access(file, R_OK) == 0
        guard isThere || directory == "/etc/signet" else { return nil }
        let directives =
            FlightSettings.directives(daemon) + [MetricsSettings.directive(daemon.shortName)]
        // What else is in the file is for the daemon to judge.
        return ConfigurationReader(
            schema: ConfigurationSchema(directives), file: isThere ? file : nil)
    }

    /// The directories of the records.
    var records: [String] {
        FlightDaemon.allCases.compactMap { daemon in
            reader(daemon).flatMap { FlightSettings($0).directory }
        }
    }

    /// The sockets on which metrics are given.
    var sockets: [(daemon: String, path: String)] {
        FlightDaemon.allCases.compactMap { daemon in
            reader(daemon).flatMap { MetricsSettings($0).socket }.map { (daemon.shortName, $0) }
        }
    }
}
