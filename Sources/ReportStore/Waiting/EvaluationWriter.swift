internal import CLinux
internal import DaemonKit
internal import Glibc
import Threads

/// Writes evaluations on a thread of its own, so that nobody who answers mail ever waits for a
/// disk.
///
/// While the sink fails evaluations wait, and it is tried again. Where that lasts, they go into a
/// file of bounded size, from which they are written as soon as the sink takes them, also after a
/// restart. Those for which there is no room are dropped and counted. Either is told, at most once
/// a minute.
public final class EvaluationWriter: Sendable {
    private let queue: EvaluationQueue
    private let name: String
    private let report: @Sendable (String) -> Void

    /// The name of the writer's thread, of 15 octets at most.
    private static let threadName = "report-store"
    /// How many evaluations are written at once.
    private static let batch = 1000
    /// How long to wait after a failure, in seconds.
    private static let pause = 5
    /// How long to be silent after a line about a failure, in seconds.
    private static let warningInterval: Int = 60
    /// How long to wait for evaluations before looking again whether there is housekeeping to do,
    /// in seconds.
    private static let idleInterval = 600
    /// How long an end waits for what is left to be written, in seconds.
    private static let shutdownTimeout = 5
    /// How large the file of those that wait may become, in octets: some hundred thousand of them.
    public static let spillLimit: Int64 = 64 << 20

    /// Starts the writer.
    ///
    /// - Parameters:
    ///   - name: what the lines call it.
    ///   - capacity: how many evaluations may wait in memory; each takes about a kilobyte.
    ///   - spill: the file for those that wait longer; nil for none.
    ///   - spillLimit: how large it may become, in octets.
    ///   - sink: makes what writes; called on the writer's thread.
    ///   - report: takes lines about failures, from that thread.
    public init(
        _ name: String, capacity: Int = 10_000, spill: String? = nil,
        spillLimit: Int64 = spillLimit, sink: @escaping @Sendable () -> any EvaluationSink,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.name = name
        self.report = report
        queue = EvaluationQueue(capacity: capacity)
        let queue = queue
        let hasStarted = startThread {
            // What the store costs can be told from what the answers cost.
            unsafe signet_name_thread(Self.threadName)
            let file = spill.map { SpillFile(path: $0, limit: spillLimit) }
            Self.run(queue, sink(), file, name: name, report: report)
            // The sink is closed by now: whoever waits for the end may use what it wrote to.
            queue.finish()
        }
        if !hasStarted { report("\(name): there is no thread to write it") }
    }

    /// Hands an evaluation over; never waits, and never fails.
    public func add(_ evaluation: Evaluation) { queue.add(evaluation) }

    /// What became of evaluations so far.
    public var tally: EvaluationTally { queue.tally }

    /// Ends: what waits is written, if that can be done within some seconds.
    public func close() { queue.close(waitingAtMost: Self.shutdownTimeout) }

    private static func run(
        _ queue: EvaluationQueue, _ sink: any EvaluationSink, _ spill: SpillFile?, name: String,
        report: @escaping (String) -> Void
    ) {
        var run = Run(queue, sink, spill, name: name, report: report)
        run.run()
    }

    /// What the writer's thread does.
    private struct Run {
        private let queue: EvaluationQueue
        private let sink: any EvaluationSink
        private let spill: SpillFile?
        private let name: String
        private let report: (String) -> Void
        private var lastLine: Int?
        private var lastSpillLine: Int?
        private var isFailing = false
        private var timeout = idleInterval

        init(
            _ queue: EvaluationQueue, _ sink: any EvaluationSink, _ spill: SpillFile?,
            name: String, report: @escaping (String) -> Void
        ) {
            self.queue = queue
            self.sink = sink
            self.spill = spill
            self.name = name
            self.report = report
            // What the last run has left goes first.
            if let spill, !spill.isEmpty { timeout = 0 }
        }

        mutating func run() {
            while let evaluations = queue.next(atMost: batch, timeout: timeout) {
                do throws(SinkError) {
                    try write(evaluations)
                } catch {
                    say("evaluations cannot be recorded: \(error)", &lastLine)
                    // Where it fails again, they leave the queue, which is soon full.
                    if isFailing { spillAll() }
                    isFailing = true
                    timeout = idleInterval
                    if queue.pause(seconds: pause) {
                        spillAll()
                        return
                    }
                }
            }
        }

        private mutating func write(_ evaluations: [Evaluation]) throws(SinkError) {
            var isMoreSpilled = false
            if let spill, !spill.isEmpty {
                let (spilled, place) = try spill.next(atMost: batch)
                if !spilled.isEmpty { try sink.write(spilled) }
                spill.advance(to: place)
                isMoreSpilled = !spill.isEmpty
            }
            if !evaluations.isEmpty { try sink.write(evaluations) }
            let dropped = queue.remove(evaluations.count)
            for notice in sink.notices() { report("\(name): \(notice)") }
            if dropped > 0 { report("\(name): \(dropped) evaluations were not recorded") }
            if lastLine != nil { report("\(name): evaluations are written again") }
            (lastLine, lastSpillLine, isFailing) = (nil, nil, false)
            // Where they come in such numbers that a batch is full, housekeeping waits.
            if evaluations.count == batch {
                timeout = 1
            } else {
                let isMoreToTidy = try sink.tidy()
                timeout = isMoreSpilled || isMoreToTidy ? 0 : idleInterval
            }
        }

        /// Puts all that wait into the file, as many as it has room for.
        private mutating func spillAll() {
            guard let spill else { return }
            do throws(SinkError) {
                while let waiting = queue.next(atMost: batch, timeout: 0), !waiting.isEmpty {
                    let count = try spill.append(waiting)
                    let dropped = queue.remove(count)
                    if dropped > 0 {
                        report("\(name): \(dropped) evaluations were not recorded")
                    }
                    guard count == waiting.count else {
                        say("no room for evaluations that wait", &lastSpillLine)
                        return
                    }
                }
            } catch {
                say("evaluations that wait cannot be kept: \(error)", &lastSpillLine)
            }
        }

        private func say(_ line: String, _ last: inout Int?) {
            let now = time(nil)
            guard last.map({ now - $0 >= warningInterval }) ?? true else { return }
            report("\(name): \(line)")
            last = now
        }
    }
}
