/// The events of a mail transaction that a filter can ask for.
///
/// End of message, abort and close come in any case.
public struct MilterEvents: OptionSet, Sendable {
    /// One bit for each event.
    public let rawValue: UInt16

    /// Creates a set from its bits.
    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// The SMTP client has connected.
    public static let connect = MilterEvents(rawValue: 1 << 0)
    /// HELO or EHLO; it comes again after STARTTLS.
    public static let helo = MilterEvents(rawValue: 1 << 1)
    /// MAIL FROM.
    public static let mail = MilterEvents(rawValue: 1 << 2)
    /// RCPT TO, once for each recipient.
    public static let recipient = MilterEvents(rawValue: 1 << 3)
    /// DATA; protocol version 2 does not have it.
    public static let data = MilterEvents(rawValue: 1 << 4)
    /// One header field.
    public static let header = MilterEvents(rawValue: 1 << 5)
    /// The empty line that ends the header section.
    public static let endOfHeader = MilterEvents(rawValue: 1 << 6)
    /// One piece of the body.
    public static let body = MilterEvents(rawValue: 1 << 7)

    /// All events above.
    public static let all = MilterEvents(rawValue: (1 << 8) - 1)
}

/// The ways in which a filter can edit a message.
public struct MilterEdits: OptionSet, Sendable {
    /// The protocol's own action bits (`SMFIF_*`).
    public let rawValue: UInt32

    /// Creates a set from its bits.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// Insert and add header fields.
    public static let addHeaders = MilterEdits(rawValue: 0x01)
    /// Add recipients.
    public static let addRecipients = MilterEdits(rawValue: 0x04)
    /// Delete recipients.
    public static let deleteRecipients = MilterEdits(rawValue: 0x08)
    /// Change and delete header fields.
    public static let changeHeaders = MilterEdits(rawValue: 0x10)
    /// Put the message on hold.
    public static let quarantine = MilterEdits(rawValue: 0x20)
    /// Change the envelope sender.
    public static let changeSender = MilterEdits(rawValue: 0x40)
}

/// The stages at which the MTA sends macros.
public enum MilterStage: Int32, Sendable, CaseIterable {
    // The values are those of SMFIM_*, which are not in the order of the transaction.
    /// With the connect event.
    case connect = 0
    /// With the HELO event.
    case helo = 1
    /// With the MAIL event.
    case mail = 2
    /// With each RCPT event.
    case recipient = 3
    /// With the DATA event.
    case data = 4
    /// With end of message.
    case endOfMessage = 5
    /// With end of headers.
    case endOfHeader = 6
}

/// What a filter needs of the MTA; it is stated when a connection is negotiated.
///
/// Each event asked for costs a message a write by the MTA, and each reply a round trip:
/// ask for no more than is used.
public struct MilterNeeds: Sendable {
    /// The events that the session's methods are called for.
    public var events: MilterEvents
    /// The events whose answer matters; to the others the session can only answer `continue`
    /// (or `skip`, which then is kept to ourselves).
    public var repliesTo: MilterEvents
    /// The edits that the filter cannot do without: an MTA that lacks one is refused.
    public var edits: MilterEdits
    /// The edits that the filter makes where the MTA offers them.
    public var optionalEdits: MilterEdits
    /// The macros to ask for, which replace the stage's usual list; a stage left out keeps its own.
    public var macros: [MilterStage: [String]]

    /// The same needs over TCP, where DATA is asked for and answered, even if nothing comes of it.
    ///
    /// Before the message Postfix's smtpd hands the connection to cleanup, whose first write would
    /// otherwise wait for a delayed acknowledgement of smtpd's last (RFC 1122, sections 4.2.3.2 and
    /// 4.2.3.4): 40 ms for each message, measured.
    package var overTCP: MilterNeeds {
        var needs = self
        needs.events.insert(.data)
        needs.repliesTo.insert(.data)
        return needs
    }

    /// All edits that the filter may come to make.
    package var possibleEdits: MilterEdits { edits.union(optionalEdits) }

    /// States the needs of a filter.
    ///
    /// - Parameters:
    ///   - events: The events that the session's methods are called for.
    ///   - repliesTo: The events whose answer matters.
    ///   - edits: The edits that the filter cannot do without.
    ///   - optionalEdits: The edits that the filter makes where the MTA offers them.
    ///   - macros: The macros to ask for instead of the MTA's own list, by stage.
    public init(
        events: MilterEvents, repliesTo: MilterEvents = [], edits: MilterEdits = [],
        optionalEdits: MilterEdits = [], macros: [MilterStage: [String]] = [:]
    ) {
        self.events = events
        self.repliesTo = repliesTo
        self.edits = edits
        self.optionalEdits = optionalEdits
        self.macros = macros
    }
}

/// What was agreed with the MTA for one connection.
///
/// Not the protocol's version: what depends on it is here.
public struct NegotiatedProtocol: Sendable, Equatable {
    /// Whether header values come as they stand after the colon.
    ///
    /// Without it the MTA has eaten the one space that usually follows the colon. It is given back
    /// to the session as a best guess: "simple" header canonicalisation may then fail.
    public var hasLeadingSpace: Bool
    /// The edits granted: all that are needed, and those of the optional ones that were offered.
    public var edits: MilterEdits

    /// Describes what was agreed.
    ///
    /// - Parameters:
    ///   - hasLeadingSpace: Whether header values come as they stand after the colon.
    ///   - edits: The edits granted.
    public init(hasLeadingSpace: Bool = true, edits: MilterEdits = []) {
        self.hasLeadingSpace = hasLeadingSpace
        self.edits = edits
    }
}
