internal import CMilter

/// The answer to an MTA's offer, worked out from a filter's needs.
///
/// Trust: the offer comes from the MTA, or from whoever may connect to the socket.
struct Negotiation: Equatable {
    /// What the session is told.
    var agreed: NegotiatedProtocol
    /// The action bits (`SMFIF_*`) to answer.
    var actions: UInt32
    /// The protocol bits (`SMFIP_*`) to answer.
    var options: UInt32
    /// The events that get no reply of ours.
    var silent: MilterEvents
    /// Whether the MTA understands the reply `skip`.
    var canSkip: Bool
    /// Whether the MTA takes lists of macros.
    var canRequestMacros: Bool

    /// An event's two protocol bits: do not send it, and it gets no reply.
    private static let bits: [(event: MilterEvents, unsent: UInt32, silent: UInt32)] = [
        (.connect, UInt32(SMFIP_NOCONNECT), UInt32(SMFIP_NR_CONN)),
        (.helo, UInt32(SMFIP_NOHELO), UInt32(SMFIP_NR_HELO)),
        (.mail, UInt32(SMFIP_NOMAIL), UInt32(SMFIP_NR_MAIL)),
        (.recipient, UInt32(SMFIP_NORCPT), UInt32(SMFIP_NR_RCPT)),
        (.data, UInt32(SMFIP_NODATA), UInt32(SMFIP_NR_DATA)),
        (.header, UInt32(SMFIP_NOHDRS), UInt32(SMFIP_NR_HDR)),
        (.endOfHeader, UInt32(SMFIP_NOEOH), UInt32(SMFIP_NR_EOH)),
        (.body, UInt32(SMFIP_NOBODY), UInt32(SMFIP_NR_BODY)),
    ]

    /// Answers an offer, or refuses it by naming the edits that are missing.
    static func answer(
        needs: MilterNeeds, offeredActions: UInt32, offeredOptions: UInt32
    ) -> Result<Negotiation, MissingEdits> {
        let missing = needs.edits.rawValue & ~offeredActions
        guard missing == 0 else {
            return .failure(MissingEdits(edits: MilterEdits(rawValue: missing)))
        }
        let edits = needs.edits.rawValue | (needs.optionalEdits.rawValue & offeredActions)
        let canRequestMacros =
            !needs.macros.isEmpty && offeredActions & UInt32(SMFIF_SETSYMLIST) != 0

        // Asking for a bit that was not offered ends the connection; only the no-reply bits are
        // safe, since libmilter sends the replies itself where the MTA insists on them.
        var options = offeredOptions & UInt32(SMFIP_NOUNKNOWN | SMFIP_HDR_LEADSPC)
        options |= UInt32(SMFIP_NR_UNKN)
        var silent: MilterEvents = []
        for bit in bits {
            if !needs.events.contains(bit.event) { options |= offeredOptions & bit.unsent }
            if !needs.events.intersection(needs.repliesTo).contains(bit.event) {
                options |= bit.silent
                silent.insert(bit.event)
            }
        }
        let canSkip = offeredOptions & UInt32(SMFIP_SKIP) != 0
        if canSkip { options |= UInt32(SMFIP_SKIP) }
        return .success(
            Negotiation(
                agreed: NegotiatedProtocol(
                    hasLeadingSpace: options & UInt32(SMFIP_HDR_LEADSPC) != 0,
                    edits: MilterEdits(rawValue: edits)),
                actions: edits | (canRequestMacros ? UInt32(SMFIF_SETSYMLIST) : 0),
                options: options, silent: silent, canSkip: canSkip,
                canRequestMacros: canRequestMacros))
    }

    /// The edits that a filter cannot do without and an MTA does not offer.
    struct MissingEdits: Error, Equatable, CustomStringConvertible {
        var edits: MilterEdits

        var description: String {
            "MTA does not offer the edits that this filter needs (missing actions 0x"
                + String(edits.rawValue, radix: 16) + ")"
        }
    }
}
