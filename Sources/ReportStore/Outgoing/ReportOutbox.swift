/// The reports on their way out, with what has become of each.
///
/// One process at a time sends: the one that has the claim.
public protocol ReportOutbox: AnyObject {
    /// Makes this process the one that sends, until the outbox is given up or the process ends,
    /// however that happens.
    ///
    /// - Returns: whether it is; another may be.
    /// - Throws: why that cannot be known.
    func claim() throws(SinkError) -> Bool

    /// The last day before one of which all reports have been made; nil where there is none.
    func lastDay(before day: Int64) throws(SinkError) -> Int64?

    /// Whether a report is there.
    func has(_ report: String) throws(SinkError) -> Bool

    /// Keeps reports, all of them or none.
    func add(_ reports: [OutgoingReport]) throws(SinkError)

    /// Records that all reports of a day have been made.
    func finish(_ day: Int64) throws(SinkError)

    /// Takes back that the reports of the days from one on have been made, which a clock that was ahead has recorded.
    func reopen(from day: Int64) throws(SinkError)

    /// What is to be sent by now, the most urgent first.
    ///
    /// - Parameters:
    ///   - now: the time, in seconds since 1970.
    ///   - count: how many at most.
    /// - Returns: the deliveries.
    /// - Throws: why they cannot be read.
    func due(at now: Int64, atMost count: Int) throws(SinkError) -> [Delivery]

    /// The mail of a report, without its "To"; nil where it is there no longer.
    func mail(of report: String) throws(SinkError) -> String?

    /// Records what has become of a delivery; the mail of a report goes with its last one.
    ///
    /// - Parameters:
    ///   - delivery: the delivery.
    ///   - state: what has become of it.
    ///   - reason: why, in words.
    ///   - next: when to try again, in seconds since 1970.
    /// - Throws: why that cannot be written.
    func record(
        _ delivery: Delivery, _ state: DeliveryState, reason: String, next: Int64
    ) throws(SinkError)

    /// All deliveries, the oldest day first.
    func deliveries(_ each: (Delivery) throws(SinkError) -> Void) throws(SinkError)

    /// Forgets the reports of days before one.
    func forget(before day: Int64) throws(SinkError)

    /// The key of the addresses that bounces come back to: random, and made with the first use.
    func bounceKey() throws(SinkError) -> String

    /// The deliveries of reports whose id begins with these characters.
    func deliveries(ofReportsBeginning prefix: String) throws(SinkError) -> [Delivery]

    /// What is known of an address that has bounced; nil where it has not.
    func bounces(of address: String) throws(SinkError) -> BouncedDestination?

    /// Keeps what is known of an address, and that a delivery to it has failed: both or none.
    func add(_ destination: BouncedDestination, of delivery: Delivery) throws(SinkError)

    /// The addresses that have bounced, in the order of their names.
    func bouncedDestinations() throws(SinkError) -> [BouncedDestination]

    /// Forgets that an address has bounced.
    ///
    /// - Returns: whether it was known.
    func forgetBounces(of address: String) throws(SinkError) -> Bool
}
