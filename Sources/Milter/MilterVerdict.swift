/// A session's answer at end of message: edits first, then the reply, sent together.
public struct MilterVerdict: Sendable, Equatable {
    /// The edits, in the order in which the MTA makes them.
    public var edits: [MessageEdit]
    /// The reply; edits are sent only with `continue` and `accept`.
    public var reply: MilterReply

    /// Makes a verdict.
    ///
    /// - Parameters:
    ///   - edits: The edits, in order.
    ///   - reply: The reply.
    public init(edits: [MessageEdit] = [], reply: MilterReply = .continue) {
        self.edits = edits
        self.reply = reply
    }

    /// Let the message pass as it is.
    public static let `continue` = MilterVerdict()

    /// The most edits of one message.
    ///
    /// What Postfix's cleanup(8) does for an edit grows with the number of edits before it, and above
    /// some 10,000 it gives up: 10,050 deletions of a 271 kB message hold all mail up for a minute.
    public static let maximumEdits = 100

    /// A verdict as it may be sent, and what is to be logged of it.
    package struct Checked: Equatable {
        /// The edits, all of them well formed and granted; empty where the reply refuses.
        package var edits: [MessageEdit] = []
        /// The reply.
        package var reply: MilterReply
        /// What was wrong, one line.
        package var problem: String?
    }

    /// Looks the edits through: all are sent, or none.
    ///
    /// - Parameters:
    ///   - granted: The edits that the MTA has granted.
    ///   - queueID: The MTA's name for the message, for the log.
    /// - Returns: What may be sent.
    package func checked(granted: MilterEdits, queueID: String?) -> Checked {
        // Nothing of the message follows, so that MTAs take both alike; libmilter's filters accept.
        let reply = self.reply == .continue ? .accept : self.reply
        guard reply == .accept, !edits.isEmpty else { return Checked(reply: reply) }
        if edits.count > Self.maximumEdits {
            let name = queueID.map { "\($0): " } ?? ""
            return Checked(
                reply: .reply(
                    SMTPReply(
                        code: 550, enhancedCode: "5.6.0",
                        text: "too many header fields that would have to be changed")),
                problem: "\(name)refused: \(edits.count) changes of one message would be needed; "
                    + "the limit is \(Self.maximumEdits)")
        }
        for edit in edits {
            if let fault = edit.fault(granted: granted) {
                return Checked(
                    reply: .tempfail,
                    problem: "filter made an edit that must not be sent: \(fault): "
                        + edit.summary)
            }
        }
        return Checked(edits: edits, reply: reply)
    }
}
