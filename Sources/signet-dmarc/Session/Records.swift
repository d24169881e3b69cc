import DaemonKit
import ReportStore

/// Where evaluations are recorded: the report store, and OpenDMARC's history file.
final class Records: Sendable {
    private let store: EvaluationWriter?
    private let history: EvaluationWriter?
    private let historyHasAll: Bool

    /// Starts a writer for each.
    init(_ policy: RecordPolicy, log: Log) {
        let (days, limit) = (policy.retention, policy.limit)
        store = policy.store.map { location in
            EvaluationWriter(
                "ReportStore", spill: location.waiting,
                sink: { location.store(keepingDays: days, limit: limit) },
                report: { log.warning($0) })
        }
        history = policy.historyFile.map { path in
            EvaluationWriter("HistoryFile", sink: { HistoryFile(path: path) }) { log.warning($0) }
        }
        historyHasAll = policy.historyHasAll
    }

    /// Records an evaluation; never waits.
    ///
    /// The database has them all, the history file those of domains with a policy, as OpenDMARC's.
    func add(_ evaluation: Evaluation, hasPolicy: Bool) {
        store?.add(evaluation)
        if hasPolicy || historyHasAll { history?.add(evaluation) }
    }

    /// What became of evaluations on their way into the store; nil where there is none.
    var tally: EvaluationTally? { store?.tally }

    /// Writes what waits, as far as that can be done in some seconds.
    func close() {
        store?.close()
        history?.close()
    }
}
