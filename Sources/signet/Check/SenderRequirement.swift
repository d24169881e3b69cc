/// One of the things that large receivers ask of whoever sends to them, and whether a message has it.
struct SenderRequirement: Encodable {
    /// Whether the message has it.
    enum Result: String, Encodable {
        /// It has.
        case ok
        /// It has not.
        case missing
        /// That could not be found out.
        case unknown
    }

    /// Which one it is: `spf.aligned`, `dkim.aligned`, `dmarc.record`, `ptr`, `unsubscribe`.
    let id: String
    /// Whether the message has it.
    let result: Result
    /// What was found, as a sentence without a full stop.
    let what: String
}
