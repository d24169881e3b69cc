import DaemonKit
import HeaderScrub
import Observation
import Synchronization
import Threads

/// What all sessions share: the configuration that holds, the log, the clock, and what was promised about the MTA's own field.
final class ScrubServices: Sendable {
    /// The configuration; each connection takes it once.
    let configuration: Snapshot<ScrubConfiguration>
    /// Where lines go.
    let log: Log
    /// What is kept and counted.
    let observer: Observer
    /// What was noted of a message that is decided about again; nil in service.
    let recalled: RuleWitness?
    private let time: TimeSource
    /// The messages whose own Received field was replaced, until somebody has looked.
    let witnesses = WitnessLedger()
    private let hasWarnedOfSigner = Atomic(false)
    private let hasWarnedOfSubmission = Atomic(false)

    /// Puts the services together.
    init(
        configuration: Snapshot<ScrubConfiguration>, log: Log, observer: Observer = .silent,
        time: TimeSource = .system, recalling recalled: RuleWitness? = nil
    ) {
        self.time = time
        self.recalled = recalled
        self.observer = observer
        self.configuration = configuration
        self.log = log
    }

    /// Seconds since 1970.
    var now: Int64 { time.seconds() }

    /// What a message's plan is made with: it notes where a record is kept, and recalls where one is read.
    var witness: RuleWitness { recalled ?? (observer.isRecording ? .noting : RuleWitness()) }

    /// Whether this is the first time that a signer was seen to run before us.
    func isFirstSignerBeforeUs() -> Bool {
        !hasWarnedOfSigner.exchange(true, ordering: .relaxed)
    }

    /// Whether this is the first time that a user's message came from a relay that does not tell the login.
    func isFirstRelayedSubmission() -> Bool {
        !hasWarnedOfSubmission.exchange(true, ordering: .relaxed)
    }

    /// Says that a message with a replaced field was never shown again.
    func warnOfMissingWitness() {
        log.warning(
            "ReplaceOwnReceived: nothing checks that the MTA's own field is gone; name this socket "
                + "twice, one after the other, in the list of milters")
    }
}
