internal import ReportStore

/// Reads an aggregate report piece by piece.
///
/// What is well-formed is never kept; of the rest a bounded part is, so that it can be mended and read again.
struct AggregateReader {
    private let limits: ReadingLimits
    private let builder: AggregateBuilder
    private var parser: ExpatParser?
    private var failure: String?
    private var kept: [UInt8] = []
    private var isTooLarge = false

    init(_ limits: ReadingLimits) throws(ReportRefusal) {
        self.limits = limits
        builder = AggregateBuilder(limits)
        kept.reserveCapacity(limits.mended)
        do {
            parser = try ExpatParser(builder, limits)
        } catch {
            throw ReportRefusal(.aggregate, "the XML cannot be parsed: \(error.reason)")
        }
    }

    /// Takes a piece of the document.
    ///
    /// - Returns: whether more of it is of use.
    mutating func read(_ octets: ArraySlice<UInt8>) -> Bool {
        if kept.count + octets.count <= limits.mended, !isTooLarge {
            kept += octets
        } else {
            isTooLarge = true
            kept = []
        }
        parse(octets, isLast: false)
        return builder.refusal == nil && !(failure != nil && isTooLarge)
    }

    private mutating func parse(_ octets: ArraySlice<UInt8>, isLast: Bool) {
        guard failure == nil, builder.refusal == nil, let parser else { return }
        do {
            try parser.parse(octets, isLast: isLast)
        } catch {
            failure = error.reason
            self.parser = nil
        }
    }

    /// The report, after the last piece.
    mutating func finish(_ hints: ReportHints) throws(ReportRefusal) -> ReceivedReport {
        parse([], isLast: true)
        guard let failure, builder.refusal == nil else { return try builder.finish(hints) }
        let reason = "the XML is not well-formed: \(failure)"
        guard !isTooLarge else { throw ReportRefusal(.aggregate, reason) }
        let mender = MarkupMender(kept)
        kept = []
        let second = AggregateBuilder(limits)
        second.note("the XML is not well-formed (\(failure))")
        for note in mender.notes { second.note(note) }
        do {
            let parser = try ExpatParser(second, limits, isUTF8: true)
            try parser.parse(mender.document[...], isLast: true)
        } catch {
            throw ReportRefusal(.aggregate, reason)
        }
        return try second.finish(hints)
    }
}
