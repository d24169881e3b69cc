/// A stand-in for Postfix on the MTA's side of the milter protocol.
///
///     let mta = FakeMTA(.unix("/tmp/dkim.sock"))
///     let outcome = try mta.deliver(MailMessage("From: a@example.org\n\nHello\n"))
///     #expect(outcome.message.values("Authentication-Results").count == 1)
///
/// It behaves as Postfix 3.7 does: it sends the same macros at the same stages, sends nothing that
/// the filter does not want and waits for no reply that the filter does not give, hides its own
/// Received field and applies the edits as cleanup(8) does. Tests that want an MTA which Postfix is
/// not change the offer, cut the conversation, or write frames of their own.
public struct FakeMTA: Sendable {
    /// Where the filter listens.
    public var address: SocketAddress
    /// The protocol version to offer.
    public var version: UInt32 = 6
    /// The actions (SMFIF) to offer.
    public var actions: UInt32 = 0x1ff
    /// The protocol bits (SMFIP) to offer.
    public var options: UInt32 = 0x1f_ffff
    /// The largest body chunk, in bytes.
    public var chunkSize = 65_535
    /// Seconds of silence after which the MTA gives the filter up.
    public var timeout = 10.0
    /// Seconds to wait before a command is sent.
    public var delays: [Character: Double] = [:]
    /// Bytes of the conversation after which the connection is cut.
    public var cutAfter: Int?
    /// The most octets that leave in one write; nil for all that there is.
    public var pieceSize: Int?
    /// The MTA's own Received field, after its colon.
    public var ownReceived =
        " from client.example.net (client.example.net [192.0.2.1])\n\tby mx.example.org (Postfix)"
        + " with ESMTP id 4XyZ\n\tfor <bob@example.org>; Thu,  1 Jan 2026 00:00:00 +0000 (UTC)"

    /// An MTA as Postfix is by default (milter_protocol = 6).
    ///
    /// - Parameter address: Where the filter listens.
    public init(_ address: SocketAddress) {
        self.address = address
    }

    /// An MTA with milter_protocol = 2: no DATA, no skip, all replies, no leading space.
    ///
    /// - Parameter address: Where the filter listens.
    /// - Returns: The MTA.
    public static func version2(_ address: SocketAddress) -> FakeMTA {
        var mta = FakeMTA(address)
        mta.version = 2
        mta.options = 0x7f
        return mta
    }

    /// Connects to the filter and negotiates.
    ///
    /// - Returns: The connection, on which any number of messages may be delivered.
    /// - Throws: `StreamError`, or `MTAError` if the filter breaks the protocol.
    public func connect() throws -> MTAConnection {
        try MTAConnection(self)
    }

    /// Delivers one message on a connection of its own.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - envelope: The client and the envelope.
    /// - Returns: What became of the message.
    /// - Throws: `StreamError`, or `MTAError` if the filter breaks the protocol.
    public func deliver(_ message: MailMessage, _ envelope: Envelope = Envelope()) throws -> Outcome
    {
        let connection = try connect()
        let outcome = try connection.deliver(message, envelope)
        connection.quit()
        return outcome
    }
}

/// A way in which a filter broke the protocol.
public enum MTAError: Error, Equatable {
    /// The filter answered with this command where it may not.
    case unexpectedReply(Character, to: Character)
    /// The filter agreed to more than was offered.
    case badNegotiation(String)
}

/// The SMTP client and the envelope of a message.
public struct Envelope: Sendable {
    /// The client's name, as found in the DNS.
    public var clientName = "client.example.net"
    /// The client's address; nil for an unknown family.
    public var clientAddress: String? = "192.0.2.1"
    /// The client's port.
    public var clientPort: UInt16 = 40_000
    /// The names given in HELO; two when STARTTLS came between.
    public var helo = ["client.example.net"]
    /// MAIL FROM: the address and its parameters.
    public var mail = ["<alice@example.net>"]
    /// RCPT TO: for each recipient the address and its parameters.
    public var recipients = [["<bob@example.org>"]]
    /// The queue id.
    public var queueID = "4XyZ"
    /// The name of the MTA, {j}.
    public var hostName = "mx.example.org"
    /// Macros of the authenticated session, {auth_authen} and its kin; empty without one.
    public var authentication: [String: String] = [:]
    /// {daemon_name}.
    public var daemonName = "mx.example.org"
    /// Fields that access rules have put above the MTA's own Received.
    public var prepended: [MailMessage.Field] = []

    /// An unauthenticated client that sends from example.net to example.org.
    public init() {}

    /// The macros that Postfix sends with a command, in its order.
    ///
    /// It leaves out undefined ones, and does not know the queue id before the second RCPT or DATA.
    func macros(for command: Character, recipient: Int = 0) -> [(String, String)] {
        let id = [("i", queueID)]
        switch command {
        case "C":
            return [
                ("j", hostName), ("{daemon_name}", daemonName), ("v", "Postfix 3.7.11"),
                ("_", "\(clientName) [\(clientAddress ?? "unknown")]"),
            ]
        case "M":
            return authentication.sorted { $0.key < $1.key }.map { ("{\($0.key)}", $0.value) }
                + [
                    ("{mail_addr}", String(mail[0].drop { $0 == "<" }.prefix { $0 != ">" })),
                    ("{mail_mailer}", "smtp"),
                ]
        case "R":
            let address = recipients[recipient][0].drop { $0 == "<" }.prefix { $0 != ">" }
            return (recipient > 0 ? id : [])
                + [("{rcpt_addr}", String(address)), ("{rcpt_mailer}", "smtp")]
        case "T", "L", "N", "B", "E":
            return id
        default:
            return []
        }
    }
}

/// What became of a message.
public struct Outcome: Sendable {
    /// The filter's decision.
    public enum Decision: Sendable, Equatable {
        /// The message goes on.
        case accepted
        /// The message was dropped.
        case discarded
        /// The client is told to try again.
        case tempfailed
        /// The client is refused.
        case rejected
        /// The client gets this reply.
        case replied(String)
    }

    /// The decision.
    public var decision: Decision = .accepted
    /// The command that was answered with it.
    public var decidedAt: Character = "E"
    /// All replies, with the command that each answered.
    public var replies: [(command: Character, reply: Character)] = []
    /// The edits as they came: command letter and data.
    public var edits: [(command: Character, data: [UInt8])] = []
    /// The message with the edits made.
    public var message: MailMessage
    /// The envelope sender.
    public var sender: String
    /// The envelope recipients that were not refused.
    public var recipients: [String] = []
    /// The reply to each recipient that was refused.
    public var refusedRecipients: [String: Decision] = [:]
    /// The reason for putting the message on hold, nil if it is not.
    public var quarantine: String?
}
