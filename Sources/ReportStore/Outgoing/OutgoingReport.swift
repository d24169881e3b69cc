/// A report as it is to be sent: fixed before it is handed over, so that it is the same however
/// often that is tried.
public struct OutgoingReport: Hashable, Sendable {
    /// The Report-ID.
    public let id: String
    /// The UTC day that it is about, in days since 1970.
    public let day: Int64
    /// The domain whose policy was applied.
    public let domain: String
    /// How many messages it counts.
    public let messages: Int64
    /// The mail without its "To", with line feeds at the ends of lines.
    public let mail: String
    /// When it was made, in seconds since 1970.
    public let created: Int64
    /// Where it is to be sent, each address once.
    public let destinations: [Destination]

    /// An address that a policy record names.
    public struct Destination: Hashable, Sendable {
        /// The URI as published.
        public let address: String
        /// Whether it is sent at all, or why not.
        public let state: DeliveryState
        /// The reason for the state, in words; empty for none.
        public let reason: String
        /// Not to be sent before this time, in seconds since 1970.
        public let next: Int64

        /// Creates a destination.
        public init(_ address: String, state: DeliveryState, reason: String = "", next: Int64) {
            self.address = address
            self.state = state
            self.reason = reason
            self.next = next
        }
    }

    /// Creates a report.
    public init(
        id: String, day: Int64, domain: String, messages: Int64, mail: String, created: Int64,
        destinations: [Destination]
    ) {
        self.id = id
        self.day = day
        self.domain = domain
        self.messages = messages
        self.mail = mail
        self.created = created
        self.destinations = destinations
    }
}

/// What has become of a report on its way to one address.
public enum DeliveryState: String, Hashable, Sendable, CaseIterable {
    /// The MTA has taken it.
    case sent
    /// It is to be sent, now or later.
    case waiting
    /// It could not be sent, and is not tried again.
    case failed
    /// The destination has not said that it wants reports about the domain (RFC 9990, section 4).
    case refused
    /// The configuration wants no reports to go there.
    case suppressed
}

/// A report on its way to one address.
public struct Delivery: Hashable, Sendable {
    /// The Report-ID.
    public let report: String
    /// The place of the address among those of the report.
    public let position: Int64
    /// The UTC day of the report, in days since 1970.
    public let day: Int64
    /// The domain whose policy was applied.
    public let domain: String
    /// The URI as published.
    public let address: String
    /// What has become of it.
    public let state: DeliveryState
    /// Why, in words; empty for no reason.
    public let reason: String
    /// How often it was tried.
    public let attempts: Int
    /// Not to be tried before this time, in seconds since 1970.
    public let next: Int64
    /// When the report was made, in seconds since 1970.
    public let created: Int64
}
