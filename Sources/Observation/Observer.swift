package import DaemonKit
package import FlightRecord
package import Metrics
internal import Threads

/// What a daemon keeps and counts of its messages: one call at the end of each.
///
/// Nothing of it can delay an answer: the record is written by a thread of its own, and counting is a
/// short look under a lock.
package final class Observer: Sendable {
    private let daemon: FlightDaemon
    private let recorder: FlightRecorder?
    private let capture: Capture?
    private let socket: MetricsSocket?
    private let messages: Counter
    private let decisions: Histogram
    private let reloads: Counter
    private let signatures: Counter
    private let unsigned: Counter
    private let dnsAnswers: Counter
    private let dnsSeconds: Histogram
    private let counts: Bool
    private let sessions = Locked(0)
    private let sources = Locked<[Source]>([])

    /// Gives further families when the metrics are asked for, on the thread that gives them.
    package typealias Source = @Sendable () -> [MetricFamily]

    /// Takes an entry at once, in place of a record.
    package typealias Capture = @Sendable (FlightEntry) -> Void

    /// Starts to keep and to give what the settings ask for; what cannot be done is said in the log.
    ///
    /// - Parameters:
    ///   - settings: what is asked for.
    ///   - daemon: who tells.
    ///   - log: where lines about failures go.
    ///   - capture: takes the entries too, at once; for a decision that is taken again.
    package init(
        _ settings: ObservationSettings, daemon: FlightDaemon, log: Log,
        capture: Capture? = nil
    ) {
        self.daemon = daemon
        self.capture = capture
        recorder = FlightRecorder(settings.record, daemon: daemon) { log.warning($0) }
        messages = Counter(
            MetricName("signet_messages", "Messages and questions by what was done with them"),
            labels: ["verdict"], known: FlightVerdict.allCases.map { [$0.rawValue] })
        decisions = Histogram(
            MetricName(
                "signet_decision_seconds", unit: "seconds",
                "From the end of a message, or a question about one, to the answer"))
        reloads = Counter(
            MetricName("signet_config_reloads", "Readings of the configuration by their result"),
            labels: ["result"], known: [["ok"], ["refused"]])
        signatures = Counter(
            MetricName("signet_dkim_signatures", "Signatures made, of own domains"),
            labels: ["domain", "algorithm"])
        unsigned = Counter(
            MetricName("signet_dkim_unsigned", "Messages of own clients left unsigned, by reason"),
            labels: ["reason"])
        dnsAnswers = Counter(
            MetricName("signet_dns_queries", "Questions to the resolver by their outcome"),
            labels: ["outcome"])
        dnsSeconds = Histogram(
            MetricName("signet_dns_seconds", unit: "seconds", "From a question to its answer"))
        let start = Double(FlightRecorder.systemTime()) / 1e6
        let instruments: [any Instrument] = [
            BuildInfo(version: Version.current),
            Gauge(
                MetricName("signet_start_time_seconds", unit: "seconds", "Start, since 1970")
            ) { start },
            messages, decisions, reloads,
            Gauge(MetricName("signet_sessions", "Connections of the MTA that are open")) {
                [sessions] in Double(sessions.withLock { $0 })
            },
        ]
        let ofSigner: [any Instrument] = daemon == .dkim ? [signatures, unsigned] : []
        let ofResolver: [any Instrument] = daemon == .scrub ? [] : [dnsAnswers, dnsSeconds]
        let all = instruments + ofSigner + ofResolver
        let recorder = recorder
        let sources = sources
        socket = Self.socket(settings.metrics, log) {
            let record = recorder.map(Self.families) ?? []
            let more = sources.withLock { $0 }.flatMap { $0() }
            return MetricsText.text(of: all.map(\.family) + record + more)
        }
        counts = socket != nil
    }

    /// Neither keeps nor gives anything.
    package static var silent: Observer {
        Observer(ObservationSettings(), daemon: .scrub, log: Log())
    }

    /// Whether anybody looks at what is told, so that it is worth being gathered.
    package var isWatching: Bool { isRecording || counts }
    /// Whether a record is kept.
    package var isRecording: Bool { recorder != nil || capture != nil }

    /// The end of a message, or of a question about one.
    ///
    /// - Parameters:
    ///   - verdict: what was done.
    ///   - seconds: how long it took; nil where nothing was to be decided.
    ///   - octets: about how much memory the story holds on to.
    ///   - story: adds what is known, on another thread and some moments later.
    package func ended(
        _ verdict: FlightVerdict, seconds: Double?, holding octets: Int = 0,
        _ story: @escaping FlightRecorder.Story
    ) {
        if counts {
            messages.add([verdict.rawValue])
            if let seconds { decisions.observe(seconds) }
        }
        let whole: FlightRecorder.Story = { entry in
            story(&entry)
            entry.add(.verdict, verdict.rawValue)
            if let seconds { entry.add(.step, "decided in \(Int(seconds * 1_000)) ms") }
        }
        recorder?.record(holding: octets, whole)
        if let capture {
            var entry = FlightEntry(daemon, time: FlightRecorder.systemTime())
            whole(&entry)
            capture(entry)
        }
    }

    /// Has further families given with the metrics.
    package func give(_ source: @escaping Source) {
        if counts { sources.withLock { $0.append(source) } }
    }

    /// One connection of the MTA, which is counted for as long as this is kept.
    package final class Session: Sendable {
        private let count: Locked<Int>

        fileprivate init(_ count: Locked<Int>) {
            self.count = count
            count.withLock { $0 += 1 }
        }

        deinit { count.withLock { $0 -= 1 } }
    }

    /// Counts a connection; nil where nobody looks at the count.
    package func session() -> Session? { counts ? Session(sessions) : nil }

    /// Counts a signature of one of our domains.
    package func signed(domain: String, algorithm: String) {
        if counts { signatures.add([domain, algorithm]) }
    }

    /// Counts a message of ours that is not signed; `reason` is one of a few words of ours.
    package func leftUnsigned(_ reason: String) {
        if counts { unsigned.add([reason]) }
    }

    /// Counts a reading of the configuration.
    package func reloaded(_ isUsed: Bool) {
        reloads.add([isUsed ? "ok" : "refused"])
    }

    /// Counts an answer of the resolver.
    package func answered(_ outcome: String, seconds: Double) {
        dnsAnswers.add([outcome])
        dnsSeconds.observe(seconds)
    }

    /// Whether the resolver's answers are counted.
    package var countsAnswers: Bool { counts }

    /// Writes what waits, and gives nothing more.
    package func close() {
        socket?.close()
        recorder?.close()
    }

    private static func families(of recorder: FlightRecorder) -> [MetricFamily] {
        let tally = recorder.tally
        return [
            MetricFamily(
                MetricName("signet_flight_record_entries", "Entries of the record by outcome"),
                .counter,
                [
                    MetricSample("_total", [("fate", "written")], "\(tally.written)"),
                    MetricSample("_total", [("fate", "dropped")], "\(tally.dropped)"),
                ])
        ]
    }

    private static func socket(
        _ settings: MetricsSettings, _ log: Log, text: @escaping @Sendable () -> String
    ) -> MetricsSocket? {
        guard let path = settings.socket else { return nil }
        do throws(MetricsSocket.SetupError) {
            return try MetricsSocket(path: path, text: text)
        } catch {
            // The unit makes the directory of the default.
            if settings.isNamed { log.warning("Metrics: \(path): \(error)") }
            return nil
        }
    }
}

/// Which build runs.
private struct BuildInfo: Instrument {
    let version: String

    var family: MetricFamily {
        MetricFamily(
            MetricName("signet_build", "The build that runs"), .info,
            [MetricSample("_info", [("version", version)], "1")])
    }
}
