import DaemonKit
import ReportStore

/// Where evaluations are recorded: the report store, and OpenDMARC's history file.
final class Records: Sendable {
    private let writers: [EvaluationWriter]

    /// Starts a writer for each.
    init(_ policy: RecordPolicy, log: Log) {
        var writers: [EvaluationWriter] = []
        if let path = policy.store {
            let days = policy.retention
            writers.append(
                EvaluationWriter(
                    "ReportStore", sink: { ReportStore(path: path, keepingDays: days) }
                ) {
                    log.warning($0)
                })
        }
        if let path = policy.historyFile {
            writers.append(
                EvaluationWriter("HistoryFile", sink: { HistoryFile(path: path) }) {
                    log.warning($0)
                })
        }
        self.writers = writers
    }

    /// Records an evaluation, if there is one; never waits.
    func add(_ evaluation: Evaluation?) {
        guard let evaluation else { return }
        for writer in writers { writer.add(evaluation) }
    }

    /// Writes what waits, as far as that can be done in some seconds.
    func close() { for writer in writers { writer.close() } }
}
