public import DaemonKit
public import MailAuth
public import MailSyntax
public import Milter
package import Observation

/// What is known at end of message, and the words and edits that every outcome of every daemon shares.
public struct MessageContext<Configuration: AnyObject & Sendable>: Sendable {
    /// The MTA's name for the message; nil where it has none.
    public let queueID: String?
    /// The MTA's own name, `{j}`; this host's, where the MTA does not tell.
    public let mtaName: String?
    /// Whether the MTA lets us put messages on hold.
    public let canQuarantine: Bool
    /// The message's header section.
    public let header: HeaderSection
    /// How many Authentication-Results fields are missing in it, as it had grown too long.
    public let unreadResults: Int
    /// The configuration that the connection began with.
    public let configuration: Configuration
    /// Where lines go.
    public let log: Log
    /// What is said for the record; nil where nobody looks at it.
    package let trace: MessageTrace?

    /// Collects what is known.
    ///
    /// - Parameters:
    ///   - macros: the MTA's macros at end of message.
    ///   - granted: the edits that the MTA has granted.
    ///   - header: the header section that has come.
    ///   - configuration: the configuration that the connection began with.
    ///   - log: where lines go.
    ///   - trace: what is said for the record.
    package init(
        _ macros: borrowing MilterMacros, granted: MilterEdits, header: IncomingHeader,
        configuration: Configuration, log: Log, trace: MessageTrace? = nil
    ) {
        queueID = macros.queueID
        mtaName = macros["j"].flatMap { $0.isEmpty ? nil : $0 } ?? HostName.current
        canQuarantine = granted.contains(.quarantine)
        self.header = header.section
        unreadResults = header.unreadResults
        self.configuration = configuration
        self.log = log
        self.trace = trace
    }

    /// The identifier under which our results stand (RFC 8601, section 2.5).
    ///
    /// - Parameter configured: the one that the configuration gives, if it does.
    /// - Returns: that one, or the MTA's name; this host's, where the MTA does not tell its own.
    public func authservID(_ configured: String?) -> AuthservID {
        AuthservID(configured ?? mtaName ?? "localhost")
    }

    /// The Authentication-Results fields, counted from 1, that claim to be ours and go before ours is added (RFC 8601, section 5).
    ///
    /// - Parameters:
    ///   - authservID: who we are.
    ///   - unknownVersions: whether those of a version that is not known go too, whoever claims them.
    /// - Returns: the places of the fields among those of their name.
    public func forgedResults(
        claiming authservID: AuthservID, andUnknownVersions unknownVersions: Bool = false
    ) -> Set<Int> {
        let claims = AuthenticationResults.deletions(
            in: header, claiming: [authservID], andUnknownVersions: unknownVersions)
        // Nobody knows what those say that were not read, so they are taken for claims.
        let known = header.count(named: .authenticationResults)
        return Set(claims.map(\.occurrence)).union(known + 1..<known + 1 + unreadResults)
    }

    /// The edits that remove Authentication-Results fields, the lowest first, as each deletion renumbers those below it.
    public func removals(of occurrences: Set<Int>) -> [MessageEdit] {
        occurrences.sorted(by: >).map {
            .deleteHeader(name: FieldName.authenticationResults.text, occurrence: $0)
        }
    }

    /// The field that names this program.
    public func softwareHeader(_ name: String) -> MessageEdit {
        let value = " Signet v\(Version.current) \(mtaName ?? "localhost") \(queueID ?? "NOQUEUE")"
        return .insertHeader(index: 0, name: name, value: Array(value.utf8))
    }

    /// Carries out an action.
    ///
    /// - Parameters:
    ///   - action: what the configuration says is to happen.
    ///   - why: what was found.
    ///   - line: what the log is told after the action, where that is more than `why`.
    ///   - level: the weight of the line that says what was done.
    ///   - refusal: the code and text that the client is refused with, the code's first digit made to fit.
    ///   - quarantineReason: what the MTA is told of a message on hold, if it is not what the log is told.
    ///   - isTemporary: whether the cause may be gone when the client tries again. Where it cannot be, as with
    ///     a signature that does not verify, 4xx would only have the client repeat what is refused for days
    ///     (RFC 6376, section 6.3).
    ///   - edits: what is changed in a message that is let through.
    /// - Returns: the verdict for the MTA.
    public func perform(
        _ action: MilterAction, why: String, line: String? = nil, level: Log.Level = .notice,
        refusal: Refusal, quarantineReason: String? = nil, isTemporary: Bool = false,
        edits: [MessageEdit] = []
    ) -> MilterVerdict {
        if action != .accept { trace?.say { $0.reason = why } }
        let line = line ?? why
        switch action {
        case .accept:
            return MilterVerdict(edits: edits)
        case .discard:
            log.log(level, queueID: queueID, "discarded: \(line)")
            return MilterVerdict(reply: .discard)
        case .quarantine:
            guard canQuarantine else {
                let done = isTemporary ? "deferred" : "rejected"
                log.warning(queueID, "the MTA does not allow quarantine; \(done): \(line)")
                return MilterVerdict(
                    reply: .reply(isTemporary ? refusal.temporary : refusal.permanent))
            }
            log.log(level, queueID: queueID, "quarantined: \(line)")
            return MilterVerdict(edits: edits + [.quarantine(reason: quarantineReason ?? why)])
        case .reject:
            log.log(level, queueID: queueID, "rejected: \(line)")
            return MilterVerdict(reply: .reply(refusal.permanent))
        case .tempfail:
            log.log(level, queueID: queueID, "deferred: \(line)")
            return MilterVerdict(reply: .reply(refusal.temporary))
        }
    }
}

extension MilterMacros {
    /// The MTA's name for the message; nil where it has none.
    public var queueID: String? { self["i"].flatMap { $0.isEmpty ? nil : $0 } }
}
