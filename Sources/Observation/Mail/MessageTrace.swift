package import FlightRecord
package import MailAuth
package import MailDNS
internal import MailSyntax
internal import Threads

/// What the parts of a daemon say about one message while they decide: the same reasons as in the
/// log.
///
/// There is one only where somebody looks at it.
package final class MessageTrace: Sendable {
    /// A signature that was made.
    package struct Signature: Hashable, Sendable {
        package let domain: String
        package let selector: String
        package let algorithm: String

        /// Describes a signature.
        package init(domain: String, selector: String, algorithm: String) {
            self.domain = domain
            self.selector = selector
            self.algorithm = algorithm
        }
    }

    /// What was said.
    package struct Statements: Sendable {
        /// What was done, where the reply to the MTA does not tell.
        package var outcome = FlightVerdict.passed
        /// Why: the last that was said.
        package var reason: String?
        /// Why a message of ours is not signed, in one of a few words of ours.
        package var unsigned: String?
        /// The signatures that were made.
        package var signatures: [Signature] = []
        /// What was asked of the DNS.
        var questions: RecordingResolver?
        /// What the signatures cover.
        var witness: MessageWitness?
        /// What else is known, each put into words on the writer's thread.
        package var stories: [FlightRecorder.Story] = []
    }

    /// When the end of the message came.
    let start = MonotonicTime.now()
    private let statements = Locked(Statements())

    /// Begins at the end of a message.
    init() {}

    /// What was said so far.
    var said: Statements { statements.withLock { $0 } }

    /// Says something.
    package func say(_ body: (inout Statements) -> Void) { statements.withLock { body(&$0) } }

    /// Adds what is known.
    package func add(_ story: @escaping FlightRecorder.Story) { say { $0.stories.append(story) } }

    /// Adds the questions that were asked, and what the signatures cover.
    package func add(_ questions: RecordingResolver?, _ witness: MessageWitness?) {
        say { ($0.questions, $0.witness) = (questions, witness) }
    }
}
