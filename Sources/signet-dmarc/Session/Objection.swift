import MailAuth
import MailSyntax
import Milter
import MilterDaemon

/// Why a message is refused before it is evaluated: its header section.
struct Objection {
    private let action: MilterAction
    private let why: String
    private let refusal: Refusal

    /// Looks for what the administrator does not take; nil where there is nothing.
    init?(_ author: AuthorField, _ context: DMARCMessageContext) {
        let configuration = context.configuration
        if context.header.limitExceeded != nil {
            action = .tempfail
            why = "the header section has more than \(configuration.maximumHeaderOctets) octets"
            refusal = Refusal(detail: "3.4", text: "Message header section too long")
            return
        }
        if configuration.rejectsSeveralAuthors, Self.areSeveral(author) {
            action = .reject
            why = LogPhrase.severalAuthors
            refusal = Refusal(
                detail: "7.1",
                text: "Message refused: several author domains, or several From fields")
            return
        }
        guard configuration.requiresHeaders,
            let fault = RequiredFields.fault(in: context.header) ?? Self.fault(author)
        else { return nil }
        action = .reject
        why = "\(LogPhrase.headerFault): \(fault)"
        refusal = Refusal(detail: "6.0", text: "Message refused: \(fault) (RFC 5322)")
    }

    /// The verdict, with a line in the log.
    func verdict(_ context: DMARCMessageContext) -> MilterVerdict {
        context.perform(action, why: why, refusal: refusal)
    }

    private static func areSeveral(_ author: AuthorField) -> Bool {
        author.fault == .severalFields || author.fault == .tooManyMailboxes
            || author.domains.count > 1
    }

    private static func fault(_ author: AuthorField) -> String? {
        switch author {
        // opendmarc.conf(5), RequiredHeaders: one "from which no domain name could be extracted".
        case .authors, .sloppy: nil
        case .nobody(let reason): reason.description
        case .malformed(let error): "From field is malformed: \(error)"
        }
    }
}
