internal import MailSyntax

/// How many failure reports are made in an hour: "Report generators MUST implement a rate-limit on outgoing reports" (RFC 9991, section
/// 2).
///
/// A forged flood makes no flood of reports: neither for one domain, nor for one destination of many domains, nor in all. What is left
/// out is counted, and the domain's next report says how many failures it stands for (RFC 9991, section 8.1; RFC 5965, section 3.2,
/// "Incidents").
///
/// The memory is bounded by the number of reports in all.
package struct FailureReportLimiter: Sendable {
    private let perHour: Int
    private let perDomain: Int
    private let perDestination: Int
    private var begin: Int64?
    private var count = 0
    private var domains: [String: Int] = [:]
    private var destinations: [String: Int] = [:]
    /// How many failures of a domain came after its last report.
    private var left: [String: Int] = [:]

    private static let hour: Int64 = 3600

    /// Creates a limiter.
    ///
    /// - Parameter perHour: how many reports are made in an hour: a tenth of them for one domain, a quarter for one destination.
    package init(perHour: Int) {
        self.perHour = perHour
        perDomain = max(1, perHour / 10)
        perDestination = max(1, perHour / 4)
    }

    /// Takes a place for a report, if there is one.
    ///
    /// - Parameters:
    ///   - domain: whose failure is reported.
    ///   - hosts: the domains of the addresses that it is to go to.
    ///   - now: the time in seconds, of any clock.
    /// - Returns: how many failures the report stands for; nil where it is one too many.
    package mutating func admit(_ domain: String, to hosts: Set<String>, at now: Int64) -> Int? {
        // A clock that was set back begins anew.
        if let begin, begin <= now, now - begin < Self.hour {
        } else {
            begin = now
            count = 0
            domains = [:]
            destinations = [:]
            if left.count > perHour { left = [:] }
        }
        guard count < perHour, domains[domain, default: 0] < perDomain,
            hosts.allSatisfy({ destinations[$0, default: 0] < perDestination })
        else {
            if let before = left[domain] { left[domain] = min(before + 1, 1 << 30) }
            return nil
        }
        count += 1
        domains[domain, default: 0] += 1
        for host in hosts { destinations[host, default: 0] += 1 }
        defer { left[domain] = 0 }
        return 1 + (left[domain] ?? 0)
    }
}
