import Foundation

/// How fast a rotation goes under test: real servers, and times that the configuration shortens; in seconds.
struct RotationPace {
    /// The longest that the secondary lags behind.
    var lag = 2
    /// How long resolvers may remember that there was nothing.
    var negative = 2
    var recordTTL = 2
    var queueLifetime = 4
    var margin = 1
    /// How many messages are sent a minute.
    var perMinute = 1000
    /// How often the keys are replaced.
    var rounds = 3
    /// The same for selectors that are used in turn.
    var fixedRounds = 1
    /// How long one rotation may take.
    var patience = 90.0

    /// The pace of Tests/rotation, which `SIGNET_ROTATION_LAG` gives the secondary's lag; nil where it is not that which runs.
    static var long: RotationPace? {
        guard let lag = ProcessInfo.processInfo.environment["SIGNET_ROTATION_LAG"].flatMap(Int.init)
        else { return nil }
        var pace = RotationPace()
        pace.lag = lag
        pace.fixedRounds = pace.rounds
        pace.negative = max(2, lag / 2)
        pace.recordTTL = max(2, lag / 4)
        pace.queueLifetime = max(4, lag)
        pace.margin = max(1, lag / 6)
        pace.patience = 60 + Double(lag) * 10
        return pace
    }

    /// The times as rotate.conf has them.
    var directives: String {
        """
        RecordTTL \(recordTTL)s
        QueueLifetime \(queueLifetime)s
        RetireMargin \(margin)s

        """
    }
}
