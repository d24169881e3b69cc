import DaemonKit
import MailAuth
import MailSyntax
import Milter

/// What is known at end of message, and the words and edits that every outcome shares.
struct MessageContext {
    /// The MTA's name for the message; nil where it has none.
    let queueID: String?
    /// The MTA's own name, `{j}`.
    let mtaName: String?
    /// Whether the MTA lets us put messages on hold.
    let canQuarantine: Bool
    /// The message's header section.
    let header: HeaderSection
    /// How many Authentication-Results fields are missing in it, as it had grown too long.
    let unreadResults: Int
    /// The configuration that the connection began with.
    let shared: SharedConfiguration
    /// Where lines go.
    let log: Log

    /// The configuration that the connection began with.
    var configuration: DKIMConfiguration { shared.value }

    /// The identifier under which our results stand (RFC 8601, section 2.5).
    var authservID: AuthservID {
        AuthservID(configuration.results.authservID ?? mtaName ?? "localhost")
    }

    /// Carries out an action.
    ///
    /// - Parameters:
    ///   - action: what the configuration says is to happen.
    ///   - why: what was found, for the log and the hold queue.
    ///   - level: the weight of the line that says what was done.
    ///   - refusal: the code and text that the client is refused with, the code's first digit made to fit.
    ///   - edits: what is changed in a message that is let through.
    /// - Returns: the verdict for the MTA.
    func perform(
        _ action: Actions.Action, why: String, level: Log.Level = .notice, refusal: Refusal,
        edits: [MessageEdit] = []
    ) -> MilterVerdict {
        switch action {
        case .accept:
            return MilterVerdict(edits: edits)
        case .discard:
            log.log(level, queueID: queueID, "discarded: \(why)")
            return MilterVerdict(reply: .discard)
        case .quarantine:
            guard canQuarantine else {
                log.warning(queueID, "the MTA does not let us quarantine; deferred: \(why)")
                return MilterVerdict(reply: .reply(refusal.temporary))
            }
            log.log(level, queueID: queueID, "quarantined: \(why)")
            return MilterVerdict(edits: edits + [.quarantine(reason: why)])
        case .reject:
            log.log(level, queueID: queueID, "rejected: \(why)")
            return MilterVerdict(reply: .reply(refusal.permanent))
        case .tempfail:
            log.log(level, queueID: queueID, "deferred: \(why)")
            return MilterVerdict(reply: .reply(refusal.temporary))
        }
    }

    /// The field that names this program, where one is wanted.
    var softwareHeader: [MessageEdit] {
        guard configuration.addsSoftwareHeader else { return [] }
        let host = mtaName ?? "localhost"
        let value = " Signet v\(Version.current) \(host) \(queueID ?? "NOQUEUE")"
        return [.insertHeader(index: 0, name: "DKIM-Filter", value: Array(value.utf8))]
    }
}

/// A refusal in words, with its subject and detail of an enhanced status code (RFC 3463; RFC 7372, section 3).
struct Refusal: Sendable {
    /// The part after the first digit: `7.20`.
    let detail: String
    /// What the client is told.
    let text: String

    /// The refusal for good.
    var permanent: SMTPReply { SMTPReply(code: 550, enhancedCode: "5.\(detail)", text: text) }
    /// The refusal for now.
    var temporary: SMTPReply { SMTPReply(code: 451, enhancedCode: "4.\(detail)", text: text) }
}
