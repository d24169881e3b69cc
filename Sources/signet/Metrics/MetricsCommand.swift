import ArgumentParser
import DaemonKit
import Foundation
import Glibc
import Metrics
import Threads

/// `signet metrics`: what all daemons have counted, for a collector.
struct MetricsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Prints what the daemons have counted, as OpenMetrics text.",
        discussion: """
            Each daemon gives its metrics on a unix socket of its own (Metrics in its configuration). \
            With --textfile they are written for node exporter's textfile collector; with --http one \
            HTTP request on standard input is answered, as signet-metrics.socket does.

            Exit status 0 if a daemon has answered, 69 if none has.
            """)

    @OptionGroup var records: RecordOptions

    @Option(help: "Write to this file, whole or not at all.")
    var textfile: String?

    @Flag(help: "Answer one HTTP request on standard input.")
    var http = false

    /// How long a client may take to send its request, in seconds.
    private static let patience = 5.0

    func run() throws {
        let lists = records.sockets.compactMap { daemon, path in
            UnixSocket.read(path).map { (daemon: daemon, families: MetricsParser.families(in: $0)) }
        }
        let families =
            [Self.up(records.sockets.map(\.daemon), lists.map(\.daemon))]
            + MetricsText.merged(lists)
        if http {
            Self.send(
                MetricsHTTP.response(to: Self.request()) { MetricsText.text(of: families, $0) })
            return
        }
        if let textfile {
            try Self.write(MetricsText.text(of: families, .prometheus), to: textfile)
        } else {
            print(MetricsText.text(of: families), terminator: "")
        }
        if lists.isEmpty { throw ArgumentParser.ExitCode(DaemonKit.ExitCode.unavailable.rawValue) }
    }

    /// Which daemons have answered.
    private static func up(_ daemons: [String], _ answered: [String]) -> MetricFamily {
        MetricFamily(
            MetricName("signet_up", "Whether a daemon gives its metrics"), .gauge,
            daemons.map { daemon in
                MetricSample("", [("daemon", daemon)], answered.contains(daemon) ? "1" : "0")
            })
    }

    /// Writes a file beside the one named and puts it in its place, so that nobody reads half of it.
    private static func write(_ text: String, to path: String) throws {
        let new = "\(path).\(getpid())"
        let descriptor = unsafe open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CommandFailure(.cannotCreate, "\(new) cannot be written")
        }
        let octets = Array(text.utf8)
        let count = unsafe Glibc.write(descriptor, octets, octets.count)
        close(descriptor)
        guard unsafe count == octets.count && rename(new, path) == 0 else {
            _ = unsafe unlink(new)
            throw CommandFailure(.ioError, "\(path) cannot be written")
        }
    }

    /// The request, as far as it comes within some seconds.
    private static func request() -> [UInt8] {
        var octets: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        let deadline = MonotonicTime.now() + patience
        while octets.count < MetricsHTTP.longestRequest, !MetricsHTTP.isComplete(octets) {
            var waiting = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            let left = deadline.seconds(since: .now())
            guard left > 0, unsafe poll(&waiting, 1, Int32(left * 1_000) + 1) == 1 else { break }
            let count = unsafe read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else { break }
            octets += chunk.prefix(count)
        }
        return octets
    }

    private static func send(_ octets: [UInt8]) {
        var sent = 0
        while sent < octets.count {
            let count = unsafe octets.withUnsafeBytes { bytes in
                unsafe Glibc.write(
                    STDOUT_FILENO, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
            }
            guard count > 0 else { return }
            sent += count
        }
    }
}
