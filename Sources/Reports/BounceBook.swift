package import ReportStore

/// What follows from a bounce: nothing goes to an address that is closed for three months, and to one that refused a report for a day,
/// then two, up to sixteen.
package struct BounceBook {
    private let outbox: any ReportOutbox

    private static let day: Int64 = 86_400
    /// How long a closed address gets nothing.
    private static let closure = 90 * day
    /// After how long without a bounce they are counted from one again.
    private static let memory = 35 * day
    private static let mostDoublings = 4

    /// The book of an outbox.
    package init(_ outbox: any ReportOutbox) { self.outbox = outbox }

    /// Records a bounce, and that the delivery has failed.
    ///
    /// - Parameters:
    ///   - notice: what it says.
    ///   - delivery: what has bounced.
    ///   - now: the time, in seconds since 1970.
    /// - Returns: what holds for the address now; nil where the notice says nothing against it.
    /// - Throws: why the store cannot be written.
    package func record(
        _ notice: BounceNotice, of delivery: Delivery, at now: Int64
    ) throws(SinkError) -> BouncedDestination? {
        guard notice.kind != .none, let address = Self.mailbox(of: delivery) else { return nil }
        let before = try outbox.bounces(of: address)
        // One report may bounce more than once; it counts once.
        if let before, delivery.state == .failed { return before }
        let count = before.map { now - $0.last > Self.memory ? 1 : $0.bounces + 1 } ?? 1
        let pause =
            notice.kind == .closed
            ? Self.closure : Self.day << Int64(min(max(count, 1) - 1, Self.mostDoublings))
        let destination = BouncedDestination(
            address: address, isPermanent: notice.kind == .closed, bounces: count, last: now,
            until: now + pause, reason: "bounced: \(notice.reason)")
        try outbox.add(destination, of: delivery)
        return destination
    }

    private static func mailbox(of delivery: Delivery) -> String? {
        ReportDestinations.mailbox(of: delivery.address)
    }
}
