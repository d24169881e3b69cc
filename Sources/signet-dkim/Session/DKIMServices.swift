import DaemonKit
import MailAuth
import MailDNS
import MailEvaluation
import MailSyntax
import Observation
import SigningLog
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
    /// Where signatures are counted; nil where they are not.
    private let signingLog: SigningLog?
    /// What speaks in place of messages; nil where they are there.
    private let recalled: MessageWitness?
    private let hasWarnedOfSpaces = Atomic(false)

    /// Puts the services together.
    init(
        configuration: Snapshot<DKIMConfiguration>, resolver: any DNSResolver, log: Log,
        observer: Observer = .silent, signingLog: SigningLog? = nil,
        time: TimeSource = .system, recalling witness: MessageWitness? = nil
    ) {
        recalled = witness
        self.configuration = configuration
        tools = EvaluationTools(
            resolver: ObservedResolver.counting(resolver, observer), time: time)
        self.log = log
        self.observer = observer
        let watch = KeyWatch(configuration, resolver)
        observer.give { watch.families(now: TimeSource.system.seconds()) }
        self.signingLog = signingLog
    }

    /// What notes what a message's signatures cover; nil where no record is kept.
    func witness() -> MessageWitness? {
        recalled ?? (observer.isRecording ? MessageWitness() : nil)
    }

    /// Seconds since 1970.
    var now: Int64 { tools.time.seconds() }

    /// Counts the signatures of a message that goes to some domains.
    func count(_ signatures: [SignedField], to recipients: some Sequence<String>) {
        signingLog?.add(
            signatures.map { made in
                SigningLog.Signature(
                    domain: made.domain.ascii, selector: made.selector.ascii,
                    algorithm: made.algorithm.rawValue)
            }, to: recipients)
    }

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
