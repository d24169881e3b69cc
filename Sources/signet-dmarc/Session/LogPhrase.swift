/// OpenDMARC's words for the log, where scripts may look for them.
enum LogPhrase {
    /// The message has several From fields, or several author domains.
    static let severalAuthors = "multi-valued From field detected"
    /// No author domain can be read from the From field.
    static let noAuthor = "unable to parse From header field"
    /// Header fields are too many or too few.
    static let headerFault = "RFC5322 requirement error"
}
