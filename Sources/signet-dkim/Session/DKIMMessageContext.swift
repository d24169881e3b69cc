import MailAuth
import MailSyntax
import Milter
import MilterDaemon

/// What is known at end of message.
typealias DKIMMessageContext = MilterDaemon.MessageContext<DKIMConfiguration>

extension MessageContext where Configuration == DKIMConfiguration {
    /// The identifier under which our results stand (RFC 8601, section 2.5).
    var authservID: AuthservID { authservID(configuration.results.authservID) }

    /// The field that names this program, where one is wanted.
    var softwareHeader: [MessageEdit] {
        configuration.addsSoftwareHeader ? [softwareHeader("DKIM-Filter")] : []
    }
}
