/// What the administrator wants of a rotation; all times in seconds.
package struct RotationPolicy: Hashable, Sendable {
    /// The TTL of the records.
    package var recordTTL: Int64 = 3600
    /// How long Postfix keeps trying to deliver (maximal_queue_lifetime).
    package var queueLifetime: Int64 = 432_000
    /// How much longer a record stays: mail is verified again by lists, forwarders and readers.
    package var margin: Int64 = 604_800
    /// Whether a record says `p=` for a while before it is removed.
    package var emptiesFirst = true
    /// Whether the private key of a withdrawn selector is published rather than destroyed.
    package var reveals = false
    /// The size of RSA keys in bits.
    package var bits = 2048
    /// The age from which a key is replaced without being asked for; nil for never.
    package var interval: Int64?
    /// The two selectors that are used in turn, where the domain's owner has pointed them at a zone of ours.
    package var fixedSelectors: [String]?

    /// How much longer everything takes than the DNS says, in seconds: clocks here and at resolvers count whole seconds, and a
    /// resolver keeps an answer to the end of the last one.
    static let slack: Int64 = 2

    /// The defaults.
    package init() {}

    /// How long a record stays after the last signature: a resolver may have asked at the last moment.
    package var retirement: Int64 { queueLifetime + margin + recordTTL }
}
