import DaemonKit
import FailureReports
import MailDNS
import MailEvaluation
import Observation
import Threads

/// What all sessions share: the configuration that holds, the tools of the evaluation, the records, the log.
final class DMARCServices: Sendable {
    /// The configuration; each connection takes it once.
    let configuration: Snapshot<DMARCConfiguration>
    /// What messages are evaluated with: who answers questions, the clocks, the records that were parsed.
    let tools: EvaluationTools
    /// Where evaluations are recorded.
    let records: Records
    /// What makes failure reports; nil where none are made.
    let failures: FailureReporter?
    /// Where lines go.
    let log: Log
    /// What is kept and counted.
    let observer: Observer

    /// Puts the services together.
    init(
        configuration: Snapshot<DMARCConfiguration>, resolver: any DNSResolver, records: Records,
        failures: FailureReporter? = nil, log: Log, observer: Observer = .silent
    ) {
        self.configuration = configuration
        tools = EvaluationTools(
            resolver: ObservedResolver.counting(resolver, observer), time: .system)
        self.observer = observer
        self.records = records
        self.failures = failures
        self.log = log
    }

    /// The tools for one message: with questions that are remembered, where a record is kept.
    func tools(_ questions: RecordingResolver?) -> EvaluationTools {
        questions.map { tools.asking($0) } ?? tools
    }

    /// Seconds since 1970.
    var now: Int64 { tools.time.seconds() }
}
