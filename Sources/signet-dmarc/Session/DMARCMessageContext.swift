import MailAuth
import MilterDaemon

/// What is known at end of message.
typealias DMARCMessageContext = MilterDaemon.MessageContext<DMARCConfiguration>

extension MessageContext where Configuration == DMARCConfiguration {
    /// The identifier under which our results stand (RFC 8601, section 2.5), without the queue id.
    var authservID: AuthservID { authservID(configuration.authservID) }

    /// The fields that claim to be ours, and those of a version that nobody here knows: an MTA "MUST remove such a header field if
    /// the SMTP connection relaying the message is not from a trusted internal MTA" (RFC 8601, section 5).
    var forgeries: Set<Int> { forgedResults(claiming: authservID, andUnknownVersions: true) }
}
