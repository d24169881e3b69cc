import DaemonKit
import MailAuth
import MilterDaemon

/// What is known at end of message.
typealias MessageContext = MilterDaemon.MessageContext<DMARCConfiguration>

extension MessageContext where Configuration == DMARCConfiguration {
    /// The identifier under which our results stand (RFC 8601, section 2.5), without the queue id.
    var authservID: AuthservID { authservID(configuration.authservID) }

    /// The fields that claim to be ours.
    var forgeries: Set<Int> { forgedResults(claiming: authservID) }
}
