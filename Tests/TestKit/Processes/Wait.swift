import Glibc

/// Asks `condition` every few milliseconds until it gives a value, or `seconds` have passed.
///
/// - Throws: A `TestKitError` that names `what` after the time has passed, or what `condition` throws.
public func wait<Value>(
    for what: @autoclosure () -> String, seconds: Double = 20,
    until condition: () throws -> Value?
) throws -> Value {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(seconds)
    while true {
        if let value = try condition() { return value }
        guard clock.now < deadline else {
            throw TestKitError("waited \(seconds) s in vain for \(what())")
        }
        usleep(5_000)
    }
}
