import DaemonKit
import FailureReports
import MailDNS
import MailEvaluation
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

    /// Puts the services together.
    init(
        configuration: Snapshot<DMARCConfiguration>, resolver: any DNSResolver, records: Records,
        failures: FailureReporter? = nil, log: Log
    ) {
        self.configuration = configuration
        tools = EvaluationTools(resolver: resolver, time: .system)
        self.records = records
        self.failures = failures
        self.log = log
    }

    /// Seconds since 1970.
    var now: Int64 { tools.time.seconds() }
}
