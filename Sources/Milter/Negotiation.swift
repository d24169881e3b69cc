/// The answer to an MTA's offer, worked out from a filter's needs.
///
/// Trust: the offer comes from the MTA, or from whoever may connect to the socket.
package struct Negotiation: Equatable {
    /// What the session is told.
    package var agreed: NegotiatedProtocol
    /// The action bits (`SMFIF_*`) to answer.
    package var actions: UInt32
    /// The protocol bits (`SMFIP_*`) to answer, all of which were offered.
    package var options: UInt32
    /// The bits that say which events get no reply, offered or not.
    package var noReplyOptions: UInt32
    /// The events whose replies do not count: the MTA gets none, or `continue` where it insists.
    package var silent: MilterEvents
    /// The events after which the MTA waits for a reply.
    package var answered: MilterEvents
    /// Whether the MTA understands the reply `skip`.
    package var canSkip: Bool
    /// Whether the MTA takes lists of macros.
    package var canRequestMacros: Bool

    /// The protocol's versions that are spoken; before 2 there was no field of protocol bits.
    static let versions: ClosedRange<UInt32> = 2...6

    /// An event's two protocol bits: do not send it, and it gets no reply.
    private static let bits: [(event: MilterEvents, unsent: UInt32, silent: UInt32)] = [
        (.connect, 0x1, 0x1000),
        (.helo, 0x2, 0x2000),
        (.mail, 0x4, 0x4000),
        (.recipient, 0x8, 0x8000),
        (.data, 0x200, 0x1_0000),
        (.header, 0x20, 0x80),
        (.endOfHeader, 0x40, 0x4_0000),
        (.body, 0x10, 0x8_0000),
    ]
    /// SMFIP_NOUNKNOWN and SMFIP_NR_UNKN, of commands that the MTA does not know.
    private static let noUnknown: UInt32 = 0x100
    private static let noReplyToUnknown: UInt32 = 0x2_0000
    /// SMFIP_SKIP: the MTA understands the reply.
    private static let skip: UInt32 = 0x400
    /// SMFIP_HDR_LEADSPC: values come as they stand after the colon.
    private static let leadingSpace: UInt32 = 0x10_0000
    /// SMFIF_SETSYMLIST: the MTA takes lists of macros.
    private static let macroLists: UInt32 = 0x100

    /// Answers an offer, or refuses it by naming the edits that are missing.
    ///
    /// Bits that are not known here are left alone, such as those of the largest frame (SMFIP_MDS).
    package static func answer(
        needs: MilterNeeds, offeredActions: UInt32, offeredOptions: UInt32
    ) -> Result<Negotiation, MissingEdits> {
        let missing = needs.edits.rawValue & ~offeredActions
        guard missing == 0 else {
            return .failure(MissingEdits(edits: MilterEdits(rawValue: missing)))
        }
        let edits = needs.edits.rawValue | (needs.optionalEdits.rawValue & offeredActions)
        let canRequestMacros = !needs.macros.isEmpty && offeredActions & macroLists != 0

        // Asking for a bit that was not offered ends the connection.
        var options = offeredOptions & (noUnknown | leadingSpace | skip)
        var noReply = noReplyToUnknown
        var silent: MilterEvents = []
        for bit in bits {
            if !needs.events.contains(bit.event) { options |= offeredOptions & bit.unsent }
            if !needs.events.intersection(needs.repliesTo).contains(bit.event) {
                noReply |= bit.silent
                silent.insert(bit.event)
            }
        }
        options |= offeredOptions & noReply
        var answered: MilterEvents = []
        for bit in bits where options & bit.silent == 0 { answered.insert(bit.event) }
        return .success(
            Negotiation(
                agreed: NegotiatedProtocol(
                    hasLeadingSpace: options & leadingSpace != 0,
                    edits: MilterEdits(rawValue: edits)),
                actions: edits | (canRequestMacros ? macroLists : 0),
                options: options, noReplyOptions: noReply, silent: silent,
                answered: answered, canSkip: options & skip != 0, canRequestMacros: canRequestMacros
            ))
    }

    /// Whether the MTA waits for a reply to a command that it does not know.
    var expectsReplyToUnknown: Bool { options & Self.noReplyToUnknown == 0 }

    /// Whether the MTA has been asked to leave an event out.
    func leavesOut(_ event: MilterEvents) -> Bool {
        Self.bits.contains { $0.event == event && options & $0.unsent != 0 }
    }

    /// The edits that a filter cannot do without and an MTA does not offer.
    package struct MissingEdits: Error, Equatable, CustomStringConvertible {
        /// The edits.
        package var edits: MilterEdits

        /// What is missing, in words.
        package var description: String {
            "MTA does not offer the edits that this filter needs (missing actions 0x"
                + String(edits.rawValue, radix: 16) + ")"
        }
    }
}
