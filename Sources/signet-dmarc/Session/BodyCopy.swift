import MailSyntax

/// The body of a message, as far as it is short enough for a failure report.
struct BodyCopy {
    /// The body so far; nil once it is too long.
    private(set) var octets: [UInt8]? = []

    /// The longest body that is kept.
    private static let limit = 64 << 10

    /// Takes the next octets.
    mutating func append(_ chunk: Span<UInt8>) {
        guard let length = octets?.count else { return }
        if length + chunk.count <= Self.limit {
            octets?.append(contentsOf: chunk)
        } else {
            octets = nil
        }
    }
}
