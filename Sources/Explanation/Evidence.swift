package import FlightRecord

/// Where a story is found: the daemons' records and the MTA's log.
package protocol Evidence {
    /// Entries in which one of some texts stands, in the order of time.
    ///
    /// - Parameters:
    ///   - texts: the texts.
    ///   - scope: when they were written, and by whom.
    ///   - limit: how many are given at most: the newest.
    /// - Returns: the entries.
    func entries(with texts: [String], _ scope: FlightScope, limit: Int) -> [FlightEntry]
    /// Lines of the MTA's log in which one of some texts stands, in the order of the log.
    ///
    /// - Parameters:
    ///   - texts: the texts.
    ///   - span: when they were written, in microseconds since 1970; nil for any time.
    ///   - limit: how many are given at most: the last.
    ///   - isEnough: is told, from the log's end on, what was found in each piece, and since when that is all
    ///     there is; nothing older is looked for where it says so.
    /// - Returns: the lines.
    func lines(
        with texts: [String], in span: ClosedRange<Int64>?, limit: Int,
        until isEnough: MailLogFile.Sufficiency
    ) -> [MailLogLine]
    /// What may stand for a text in the records: itself, and its codes.
    func forms(of text: String) -> Set<String>
}
