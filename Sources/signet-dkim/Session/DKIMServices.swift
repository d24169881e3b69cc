import DaemonKit
import MailDNS
import MailEvaluation
import Observation
import Synchronization
import Threads

/// What all sessions share: the configuration that holds, the tools of the verification, the log.
final class DKIMServices: Sendable {
    /// The configuration; each connection takes it once.
    let configuration: Snapshot<DKIMConfiguration>
    /// What messages are verified with: who answers questions, the clocks, the keys that were
    /// parsed.
    let tools: EvaluationTools
    /// Where lines go.
    let log: Log
    /// What is kept and counted.
    let observer: Observer
    private let hasWarnedOfSpaces = Atomic(false)

    /// Puts the services together.
    init(
        configuration: Snapshot<DKIMConfiguration>, resolver: any DNSResolver, log: Log,
        observer: Observer = .silent
    ) {
        self.configuration = configuration
        tools = EvaluationTools(
            resolver: ObservedResolver.counting(resolver, observer), time: .system)
        self.log = log
        self.observer = observer
    }

    /// Seconds since 1970.
    var now: Int64 { tools.time.seconds() }

    /// Says once that the MTA hides what simple header canonicalization signs.
    func warnOfHiddenSpaces(_ queueID: String?) {
        guard !hasWarnedOfSpaces.exchange(true, ordering: .relaxed) else { return }
        log.warning(
            queueID,
            "the MTA hides the white space after the colon of a header field, so that a signature with "
                + "simple header canonicalization may not verify; set Canonicalization relaxed/simple, "
                + "or milter_protocol 6 in Postfix")
    }
}
