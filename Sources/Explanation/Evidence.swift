package import FlightRecord

/// Where a story is found: the daemons' records and the MTA's log.
package protocol Evidence {
    /// Entries in which one of some texts stands, in the order of time.
    ///
    /// - Parameters:
    ///   - texts: the texts.
    ///   - span: when they were written, in microseconds since 1970; nil for any time.
    /// - Returns: the entries.
    func entries(with texts: [String], in span: ClosedRange<Int64>?) -> [FlightEntry]
    /// Lines of the MTA's log in which one of some texts stands, in the order of the log.
    func lines(with texts: [String]) -> [MailLogLine]
    /// What may stand for a text in the records: itself, and its codes.
    func forms(of text: String) -> Set<String>
}
