import Testing

@testable import FailureReports

/// A forged flood makes no flood of reports.
@Suite struct LimiterTests {
    @Test func `a domain gets a tenth, and learns how many there were`() {
        var limiter = FailureReportLimiter(perHour: 100)
        let admitted = (0..<1000).compactMap { _ in
            limiter.admit("a.example", to: ["a.example"], at: 5)
        }
        #expect(admitted == Array(repeating: 1, count: 10))
        #expect(limiter.admit("b.example", to: ["b.example"], at: 5) == 1)
        #expect(limiter.admit("a.example", to: ["a.example"], at: 5 + 3600) == 991)
        #expect(limiter.admit("a.example", to: ["a.example"], at: 5 + 3600) == 1)
    }

    @Test func `a destination of many domains gets a quarter, and all together what is left`() {
        var limiter = FailureReportLimiter(perHour: 100)
        let vendor = (0..<1000).compactMap { number in
            limiter.admit("d\(number).example", to: ["vendor.example"], at: 0)
        }
        #expect(vendor.count == 25)
        let others = (0..<1000).compactMap { number in
            limiter.admit("e\(number).example", to: ["e\(number).example"], at: 0)
        }
        #expect(others.count == 75)
    }

    @Test func `the smallest limit lets one through, and a clock that goes back stops nothing`() {
        var limiter = FailureReportLimiter(perHour: 1)
        #expect(limiter.admit("a.example", to: [], at: 10_000) == 1)
        #expect(limiter.admit("a.example", to: [], at: 10_001) == nil)
        #expect(limiter.admit("a.example", to: [], at: 0) == 2)
    }
}
