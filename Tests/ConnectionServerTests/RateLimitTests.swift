import ConnectionServer
import Testing
import Threads

@Suite struct RateLimitTests {
    @Test func letsThroughOnceInAnInterval() {
        let limit = RateLimit(seconds: 60)
        let start = MonotonicTime(nanoseconds: 1_000_000_000)
        let allowed = [0, 0, 1, 59.9, 60, 60.1, 119.9, 120, 1_000, 1_059].map {
            limit.allows(at: start + $0)
        }
        #expect(
            allowed == [true, false, false, false, true, false, false, true, true, false])
    }
}
