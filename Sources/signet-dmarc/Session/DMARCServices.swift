import DaemonKit
import FailureReports
import MailAuth
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
    /// What speaks in place of messages; nil where they are there.
    private let recalled: MessageWitness?
    /// What is kept and counted.
    let observer: Observer

    /// Puts the services together.
    init(
        configuration: Snapshot<DMARCConfiguration>, resolver: any DNSResolver, records: Records,
        failures: FailureReporter? = nil, log: Log, observer: Observer = .silent,
        time: TimeSource = .system, recalling witness: MessageWitness? = nil
    ) {
        recalled = witness
        self.configuration = configuration
        tools = EvaluationTools(
            resolver: ObservedResolver.counting(resolver, observer), time: time)
        self.observer = observer
        self.records = records
        self.failures = failures
        self.log = log
    }

    /// What notes what a message's signatures cover; nil where no record is kept.
    func witness() -> MessageWitness? {
        recalled ?? (observer.isRecording ? MessageWitness() : nil)
    }

    /// The tools for one message, which is remembered where a record is kept.
    func tools(_ questions: RecordingResolver?, _ witness: MessageWitness?) -> EvaluationTools {
        questions == nil && witness == nil ? tools : tools.remembering(questions, witness)
    }

    /// Seconds since 1970.
    var now: Int64 { tools.time.seconds() }
}
