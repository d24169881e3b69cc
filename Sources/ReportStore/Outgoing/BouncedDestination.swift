/// A mail address that reports came back from.
public struct BouncedDestination: Hashable, Sendable {
    /// The address, as `Mailbox.address` has it.
    public let address: String
    /// Whether the last bounce said that the address takes no mail at all.
    public let isPermanent: Bool
    /// How many bounces came in a row.
    public let bounces: Int
    /// When the last one came, in seconds since 1970.
    public let last: Int64
    /// Nothing is sent there before this time, in seconds since 1970.
    public let until: Int64
    /// What the bounce said, in a line.
    public let reason: String

    /// Creates a destination.
    public init(
        address: String, isPermanent: Bool, bounces: Int, last: Int64, until: Int64, reason: String
    ) {
        self.address = address
        self.isPermanent = isPermanent
        self.bounces = bounces
        self.last = last
        self.until = until
        self.reason = reason
    }
}
