internal import CLinux
internal import Configuration
internal import Glibc
internal import Threads

/// Takes what a daemon tells of its messages, and writes it on a thread of its own.
///
/// Nobody who answers mail waits for a disk: an entry is put together by the writer's thread, out of
/// values that the session has at hand anyway. Where the disk does not take them, entries are dropped
/// and counted, which is told once a minute.
package final class FlightRecorder: Sendable {
    /// Makes an entry out of an empty one.
    package typealias Story = @Sendable (inout FlightEntry) -> Void

    private struct Waiting: Sendable {
        let time: Int64
        let octets: Int
        let story: Story
    }

    private struct State: Sendable {
        var waiting: [Waiting] = []
        /// What the stories hold on to, those that are being written too; in octets.
        var held = 0
        var dropped = 0
        var tally = Tally()
        var isClosed = false
        var isDone = false
    }

    /// What became of entries since the start.
    package struct Tally: Hashable, Sendable {
        /// Those that are in the record.
        package var written = 0
        /// Those that are not.
        package var dropped = 0
    }

    private let state = Monitor(State())
    private let daemon: FlightDaemon
    private let time: @Sendable () -> Int64

    /// How many entries may wait; beyond that they are dropped.
    static let capacity = 4_000
    /// How much the stories may hold on to together, in octets; beyond that entries are dropped.
    static let room = 64 << 20
    /// How many entries are written before more are gathered: what they hold on to is given back while it is
    /// still near the processor.
    private static let batch = 128
    /// How long entries are gathered before they are written, in seconds: as much is lost at most
    /// when the daemon is killed.
    private static let gathering = 0.25
    /// How long to wait for entries before looking again whether there is something to remove.
    private static let idle = 600.0
    /// How long an end waits for what is left to be written, in seconds.
    private static let closing = 3
    /// The name of the writer's thread, of 15 octets at most.
    private static let threadName = "flight-record"
    /// How many octets are written at once.
    private static let chunk = 1 << 16

    /// Starts to write.
    ///
    /// - Parameters:
    ///   - settings: where, how much, and what of people; without a directory there is no recorder.
    ///   - daemon: who tells.
    ///   - time: microseconds since 1970.
    ///   - report: takes lines about failures, from the writer's thread.
    package init?(
        _ settings: FlightSettings, daemon: FlightDaemon,
        time: @escaping @Sendable () -> Int64 = FlightRecorder.systemTime,
        report: @escaping @Sendable (String) -> Void
    ) {
        guard let directory = settings.directory else { return nil }
        // The package makes the directory of a default.
        guard unsafe settings.isNamed || access(Self.parent(of: directory), F_OK) == 0 else {
            return nil
        }
        self.daemon = daemon
        self.time = time
        let (state, daemonName) = (state, daemon)
        let hasStarted = startThread {
            // What the record costs can be told from what the answers cost.
            unsafe signet_name_thread(Self.threadName)
            Self.write(
                Run(
                    settings, directory: directory, daemon: daemonName, state: state, time: time,
                    report: report))
            // The segment is closed by now.
            state.update { $0.isDone = true }
        }
        guard hasStarted else {
            report("FlightRecord: there is no thread to write it")
            return nil
        }
    }

    /// Records what a story tells; never waits, and never fails.
    ///
    /// - Parameters:
    ///   - octets: about how much memory the story holds on to: strangers choose how much there is to
    ///     tell of a message.
    ///   - story: makes the entry, on the writer's thread; what it holds on to stays in memory for a
    ///     moment, or for as long as the disk takes nothing.
    package func record(holding octets: Int = 0, _ story: @escaping Story) {
        let now = time()
        let wakes = state.withLock { state in
            guard state.waiting.count < Self.capacity, state.held + octets <= Self.room,
                !state.isClosed
            else {
                state.dropped += 1
                state.tally.dropped += 1
                return false
            }
            state.waiting.append(Waiting(time: now, octets: octets, story: story))
            state.held += octets
            return state.waiting.count == 1 || state.waiting.count == Self.batch
        }
        if wakes { state.wakeAll() }
    }

    /// What became of entries so far.
    package var tally: Tally { state.withLock { $0.tally } }

    /// Ends: what waits is written, if that can be done within some seconds.
    package func close() {
        state.update { $0.isClosed = true }
        _ = state.wait(until: .now() + Double(Self.closing)) { $0.isDone ? true : nil }
    }

    /// Microseconds since 1970.
    package static func systemTime() -> Int64 {
        var now = timespec()
        _ = unsafe clock_gettime(CLOCK_REALTIME, &now)
        return Int64(now.tv_sec) &* 1_000_000 &+ Int64(now.tv_nsec) / 1_000
    }

    private static func write(_ run: consuming Run) {
        run.run()
    }

    private static func parent(of path: String) -> String {
        let slash = path.lastIndex(of: "/") ?? path.startIndex
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What the writer's thread does.
    private struct Run: ~Copyable {
        private var store: FlightStore
        private let privacy: FlightPrivacy
        private let daemon: FlightDaemon
        private let state: Monitor<State>
        private let time: @Sendable () -> Int64
        private let report: @Sendable (String) -> Void
        private var redactor: FlightRedactor?
        private var lost = 0
        private var failure: String?
        private var lastLine: MonotonicTime?

        /// How long to be silent after a line about a failure, in seconds.
        private static let silence = 60.0

        init(
            _ settings: FlightSettings, directory: String, daemon: FlightDaemon,
            state: Monitor<State>, time: @escaping @Sendable () -> Int64,
            report: @escaping @Sendable (String) -> Void
        ) {
            store = FlightStore(settings, directory: directory)
            privacy = settings.privacy
            self.daemon = daemon
            self.state = state
            self.time = time
            self.report = report
        }

        mutating func run() {
            store.tidy(at: time())
            while true {
                let isLast = writeNext()
                tell(isLast: isLast)
                if isLast { return }
            }
        }

        /// Writes what comes next; true where nothing comes after it.
        private mutating func writeNext() -> Bool {
            let waiting = next()
            write(waiting.entries)
            let octets = waiting.entries.reduce(0) { $0 + $1.octets }
            state.withLock { $0.held -= octets }
            lost += waiting.dropped
            if waiting.entries.isEmpty, !waiting.isLast { store.tidy(at: time()) }
            return waiting.isLast
        }

        /// Waits for entries, and, when there is one, a moment for more, up to a batch.
        private func next() -> (entries: [Waiting], dropped: Int, isLast: Bool) {
            // What was lost is to be told although nothing more comes.
            let wait = lost > 0 ? Self.silence : FlightRecorder.idle
            let isThere =
                state.wait(until: .now() + wait) { state in
                    state.isClosed || !state.waiting.isEmpty ? true : nil
                } ?? false
            if isThere {
                _ = state.wait(until: .now() + FlightRecorder.gathering) { state in
                    state.isClosed || state.waiting.count >= FlightRecorder.batch
                        ? true : nil
                }
            }
            return state.withLock { state in
                defer { (state.waiting, state.dropped) = ([], 0) }
                return (state.waiting, state.dropped, state.isClosed)
            }
        }

        private mutating func write(_ entries: [Waiting]) {
            var octets: [UInt8] = []
            var count = 0
            for (index, waiting) in entries.enumerated() {
                var entry = FlightEntry(daemon, time: waiting.time)
                waiting.story(&entry)
                if let redactor = usableRedactor() {
                    FlightFrame.append(redactor.redacted(entry), to: &octets)
                    count += 1
                } else {
                    lose(1)
                }
                guard octets.count >= FlightRecorder.chunk || index == entries.count - 1, count > 0
                else { continue }
                put(octets, count: count)
                octets.removeAll(keepingCapacity: true)
                count = 0
            }
        }

        /// What redacts; nil where the record needs a key and has none, as nothing may be written then.
        private mutating func usableRedactor() -> FlightRedactor? {
            if let redactor { return redactor }
            do throws(SystemError) {
                let code = privacy == .hashed ? try store.code() : FlightCode(key: [])
                redactor = FlightRedactor(privacy, code)
            } catch {
                failure = "\(error)"
            }
            return redactor
        }

        private mutating func put(_ octets: [UInt8], count: Int) {
            do throws(SystemError) {
                try store.append(octets, at: time())
                state.withLock { $0.tally.written += count }
            } catch {
                lose(count)
                failure = "\(error)"
                // A directory that was deleted may have taken the key with it.
                redactor = nil
            }
        }

        private mutating func lose(_ count: Int) {
            lost += count
            state.withLock { $0.tally.dropped += count }
        }

        /// Says what was lost, once a minute.
        private mutating func tell(isLast: Bool) {
            guard lost > 0 else { return }
            let now = MonotonicTime.now()
            if !isLast, let lastLine, now.seconds(since: lastLine) < Self.silence { return }
            let why = failure ?? "they came faster than they could be written"
            report("FlightRecord: \(lost) entries were not recorded: \(why)")
            (lost, failure, lastLine) = (0, nil, now)
        }
    }
}
