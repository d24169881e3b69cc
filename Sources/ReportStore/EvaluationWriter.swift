internal import DaemonKit
internal import Glibc
import Threads

/// Writes evaluations on a thread of its own, so that nobody who answers mail ever waits for a disk.
///
/// While the sink fails evaluations wait, and it is tried again; those for which there is no room are dropped and counted. Either
/// is told, at most once a minute.
public final class EvaluationWriter: Sendable {
    private let queue: EvaluationQueue
    private let name: String
    private let report: @Sendable (String) -> Void

    /// How many evaluations are written at once.
    private static let batch = 1000
    /// How long to wait after a failure, in seconds.
    private static let pause = 5
    /// How long to be silent after a line about a failure, in seconds.
    private static let silence: Int = 60
    /// How long to wait for evaluations before looking again whether there is housekeeping to do, in seconds.
    private static let quiet = 600
    /// How long an end waits for what is left to be written, in seconds.
    private static let farewell = 5

    /// Starts the writer.
    ///
    /// - Parameters:
    ///   - name: what the lines call it.
    ///   - capacity: how many evaluations may wait; each takes about a kilobyte.
    ///   - sink: makes what writes; called on the writer's thread.
    ///   - report: takes lines about failures, from that thread.
    public init(
        _ name: String, capacity: Int = 10_000,
        sink: @escaping @Sendable () -> any EvaluationSink,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.name = name
        self.report = report
        queue = EvaluationQueue(capacity: capacity)
        let queue = queue
        let hasStarted = startThread {
            Self.run(queue, sink(), name: name, report: report)
            queue.finish()
        }
        if !hasStarted { report("\(name): there is no thread to write it") }
    }

    /// Hands an evaluation over; never waits, and never fails.
    public func add(_ evaluation: Evaluation) { queue.add(evaluation) }

    /// Ends: what waits is written, if that can be done within some seconds.
    public func close() { queue.close(waitingAtMost: Self.farewell) }

    private static func run(
        _ queue: EvaluationQueue, _ sink: any EvaluationSink, name: String,
        report: (String) -> Void
    ) {
        var lastLine: Int?
        var patience = quiet
        while let evaluations = queue.next(atMost: batch, patience: patience) {
            do throws(SinkError) {
                if !evaluations.isEmpty { try sink.write(evaluations) }
                let dropped = queue.remove(evaluations.count)
                for notice in sink.notices() { report("\(name): \(notice)") }
                if dropped > 0 { report("\(name): \(dropped) evaluations were not recorded") }
                if lastLine != nil { report("\(name): evaluations are written again") }
                lastLine = nil
                // Where they come in such numbers that a batch is full, housekeeping waits.
                if evaluations.count == batch {
                    patience = 1
                } else {
                    patience = try sink.tidy() ? 0 : quiet
                }
            } catch {
                let now = time(nil)
                if lastLine.map({ now - $0 >= silence }) ?? true {
                    report("\(name): evaluations cannot be recorded: \(error)")
                    lastLine = now
                }
                if queue.pause(seconds: pause) { return }
            }
        }
    }
}
