import MailAuth
import MailDNS
import MailSyntax

/// What a check found, and what is told of it; texts are made only where they are needed.
///
/// A class, as verdict, answer, memory and record hold on to it.
final class Finding: Sendable {
    private let outcome: SPFOutcome
    /// The host that checked; nil to withhold it.
    private let receiver: String?

    /// Describes an outcome.
    ///
    /// - Parameters:
    ///   - outcome: what the check came to.
    ///   - receiver: the host that checked; nil to withhold it.
    init(_ outcome: SPFOutcome, receiver: String?) {
        self.outcome = outcome
        self.receiver = receiver
    }

    /// Whose authorization was checked.
    var identity: SPFIdentity { outcome.request.identity }
    /// The result.
    var result: SPFResult { outcome.result }
    /// Whether the resolver had too much to do to ask: the sender may have seen to that, so that
    /// nothing can be said about the domain.
    var isUndecided: Bool {
        if case .dns(_, .resolver) = outcome.problem { true } else { false }
    }
    /// The domain whose policy was asked for; nil where there is no name to check.
    var domain: DomainName? { outcome.domain }
    /// The octets of the records that were visited.
    var recordOctets: Int { outcome.recordOctets }
    /// The result and its reason in a sentence.
    var sentence: String { outcome.sentence }
    /// The mechanism that decided, as published; empty where none did.
    var mechanism: String { outcome.decision?.mechanism ?? "" }
    /// What the domain's owner says about a "fail".
    var explanation: String? { outcome.explanation }
    /// The Received-SPF field.
    var received: ReceivedSPF { ReceivedSPF(outcome, receiver: receiver) }
    /// Whether the record is "v=spf1 -all": the name sends no mail.
    var sendsNoMail: Bool { outcome.visit?.record?.refusesEverything ?? false }
}

extension SPFRecord {
    /// Whether the record says no more than "-all".
    fileprivate var refusesEverything: Bool {
        guard directives.count == 1, let only = directives.first, case .all = only.mechanism else {
            return false
        }
        return only.qualifier == .fail
    }
}
