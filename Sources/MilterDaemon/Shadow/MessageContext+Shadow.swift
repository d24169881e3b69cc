package import DaemonKit
internal import FlightRecord
package import MailAuth
internal import MailSyntax
package import Milter
internal import Observation

extension MessageContext {
    /// The answer of a filter that runs beside another (`Shadow`): nothing is done, and what would have been is compared with
    /// what the other has done.
    ///
    /// - Parameters:
    ///   - verdict: what would be answered.
    ///   - authservID: under which name results are given.
    ///   - methods: the methods that are compared.
    ///   - comparesSignatures: whether the message is one that is signed here, so that what is on top of it is the other's work; what
    ///     comes from outside has its senders' signatures there.
    ///   - log: where differences are told.
    /// - Returns: that the message goes on as it is.
    package func compared(
        _ verdict: MilterVerdict, as authservID: AuthservID, methods: [String],
        comparesSignatures: Bool, log: Log
    ) -> MilterVerdict {
        var reason: String?
        var would: [String] = []
        trace?.say { said in
            reason = said.reason
            would = said.signatures.map { "sign d=\($0.domain) s=\($0.selector) a=\($0.algorithm)" }
            // Nothing was done, so that nothing is counted.
            (said.outcome, said.signatures, said.unsigned) = (.compared, [], nil)
        }
        guard header.limitExceeded == nil else {
            log.info(queueID, "shadow: the header section is too long to be compared")
            return .continue
        }
        let comparison = ShadowComparison(
            header, verdict, authservID, methods: methods,
            comparesSignatures: comparesSignatures, reason: reason)
        let differences = comparison.differences.map {
            "\(LogText.safe($0.what, limit: 400)); \(LogText.safe($0.subject, limit: 300))"
        }
        for difference in differences { log.notice(queueID, "shadow: differs: \(difference)") }
        if differences.isEmpty { log.debug(queueID, "shadow: no difference") }
        would += verdict.edits.map(\.summary)
        if case .reply(let reply) = verdict.reply { would.append("answer \(reply.code)") }
        let told = would
        trace?.add { entry in
            for words in told { entry.add(.shadow, words) }
            for difference in differences { entry.add(.difference, difference) }
        }
        return .continue
    }
}
