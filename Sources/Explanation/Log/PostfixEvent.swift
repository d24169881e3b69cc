/// What a line of Postfix's says of a message.
package enum PostfixEvent: Hashable, Sendable {
    /// A client hands a message over, or a local user does.
    case begin(client: String, login: String?)
    /// The message's own identifier.
    case messageID(String)
    /// The reverse-path, when the message is in the queue.
    case from(String)
    /// Refused at an SMTP command, or at the end of the message.
    case refusal(Refusal)
    /// Put on hold, by a milter or by hand.
    case hold(String)
    /// Taken off hold, or put into the queue again.
    case release(String)
    /// An attempt at delivery.
    case delivery(Delivery)
    /// A notification to the sender, with its queue id.
    case bounce(String)
    /// Somebody has deleted the message from the queue (postsuper(1), -d).
    case deletion
    /// The message has left the queue.
    case removed

    /// A refusal.
    package struct Refusal: Hashable, Sendable {
        /// Whether a milter's answer was passed on.
        package let isByMilter: Bool
        /// The command: `RCPT`, `END-OF-MESSAGE`.
        package let stage: String
        /// The client.
        package let client: String
        /// What the client was told.
        package let reply: String
        /// The reverse-path, where it is known.
        package let sender: String?
        /// The recipient, where it is known.
        package let recipient: String?

        /// Whether the client may try again.
        package var isTemporary: Bool { reply.hasPrefix("4") }

        /// Whether it is about one recipient, so that the message may go on to others.
        var isOfRecipient: Bool { stage == "RCPT" }
    }

    /// An attempt at delivery.
    package struct Delivery: Hashable, Sendable {
        package let recipient: String
        /// The recipient before aliases (`orig_to=`), where it is another.
        package let original: String?
        package let relay: String
        /// `sent`, `deferred`, `bounced`, `expired`.
        package let status: String
        /// What the next host said.
        package let answer: String

        /// The identifier that the next host gave, `queued as NAME`, or that local(8) gave what an alias
        /// or a .forward file sends on, `forwarded as NAME`.
        package var nextID: String? {
            PostfixEvent.word(after: "queued as ", in: answer)
                ?? PostfixEvent.word(after: "forwarded as ", in: answer)
        }
    }

    /// Whether the message is in the queue, or was.
    var isQueued: Bool {
        switch self {
        case .from, .hold, .release, .delivery, .deletion, .removed: true
        case .begin, .messageID, .refusal, .bounce: false
        }
    }

    /// Reads a line; nil where it says nothing of these.
    package init?(_ line: MailLogLine) {
        guard line.program.hasPrefix("postfix") else { return nil }
        let text = line.text
        if text.hasPrefix("client=") {
            self = .begin(
                client: Self.field("client=", in: text) ?? "",
                login: Self.field("sasl_username=", in: text))
        } else if text.hasPrefix("uid=") {
            self = .begin(client: "local user, \(Self.field("uid=", in: text) ?? "")", login: nil)
        } else if text.hasPrefix("message-id=") {
            self = .messageID(Self.bare(text.dropFirst("message-id=".count)))
        } else if text.hasPrefix("from=<"), text.contains("size=") {
            self = .from(Self.field("from=", in: text) ?? "")
        } else if let refusal = Self.refusal(text) {
            self = .refusal(refusal)
        } else if text.hasPrefix("milter-hold:") || text.hasPrefix("placed on hold")
            || text.hasPrefix("hold:")
        {
            self = .hold(text)
        } else if text.hasPrefix("released from hold") || text.hasPrefix("requeued") {
            self = .release(text)
        } else if text.hasPrefix("to=<"), let status = Self.word(after: "status=", in: text) {
            let open = text.octetRange(of: "status=\(status) (")?.upperBound
            let rest = open.map { text[$0...] } ?? ""
            let answer = rest.hasSuffix(")") ? rest.dropLast() : rest
            self = .delivery(
                Delivery(
                    recipient: Self.field("to=", in: text) ?? "",
                    original: Self.field("orig_to=", in: text),
                    relay: Self.field("relay=", in: text) ?? "", status: status,
                    answer: String(answer)))
        } else if let range = text.octetRange(of: "non-delivery notification: ") {
            self = .bounce(String(text[range.upperBound...]))
        } else if text == "removed" {
            self = line.program.hasSuffix("/postsuper") ? .deletion : .removed
        } else {
            return nil
        }
    }

    private static func refusal(_ text: String) -> Refusal? {
        let isByMilter = text.hasPrefix("milter-reject: ")
        guard isByMilter || text.hasPrefix("reject: ") else { return nil }
        let rest = text[(text.octetRange(of: ": ")?.upperBound ?? text.startIndex)...]
        guard let from = rest.octetRange(of: " from "),
            let colon = rest[from.upperBound...].octetRange(of: ": ")
        else { return nil }
        let reply = rest[colon.upperBound...]
        let end = reply.octetRange(of: "; from=<")?.lowerBound ?? reply.endIndex
        let tail = String(reply[end...].dropFirst(2))
        return Refusal(
            isByMilter: isByMilter, stage: String(rest[..<from.lowerBound]),
            client: String(rest[from.upperBound..<colon.lowerBound]), reply: String(reply[..<end]),
            sender: field("from=", in: tail), recipient: field("to=", in: tail))
    }

    /// The value after a name, without angle brackets, up to a comma or blank.
    private static func field(_ name: String, in text: String) -> String? {
        var rest = text[...]
        while let range = rest.octetRange(of: name) {
            let isStart =
                range.lowerBound == text.startIndex
                || [" ", ","].contains(text[text.index(before: range.lowerBound)])
            rest = rest[range.upperBound...]
            guard isStart else { continue }
            if rest.first == "<" {
                return String(rest.dropFirst().prefix { $0 != ">" })
            }
            return String(rest.prefix { $0 != "," && $0 != " " })
        }
        return nil
    }

    /// The word after some words.
    static func word(after words: String, in text: String) -> String? {
        guard let range = text.octetRange(of: words) else { return nil }
        let word = text[range.upperBound...].prefix { character in
            character.isLetter || character.isNumber || "-._".contains(character)
        }
        return word.isEmpty ? nil : String(word)
    }

    private static func bare(_ text: Substring) -> String {
        let inner = text.hasPrefix("<") ? text.dropFirst() : text
        return String(inner.hasSuffix(">") ? inner.dropLast() : inner)
    }
}
