internal import Glibc

/// How often the daemon wakes while the MTA has nothing to say.
enum Idle {
    /// Counts with `connections` silent connections open, as a busy smtpd leaves them.
    static func run(seconds: UInt32, connections: Int) throws {
        let bench = try Bench()
        let verifier = try bench.verifier()
        let lines = try (0..<connections).map { _ in
            try MilterLine(verifier.socket, verifier.mail)
        }
        defer { for line in lines { line.quit() } }
        for line in lines { try line.deliver() }
        sleep(2)
        let before = try verifier.meter.sleeps
        sleep(seconds)
        let wakes = Double(try verifier.meter.sleeps - before) / Double(seconds)
        Report.limit("wakes a second with \(connections) silent connections", wakes, atMost: 1)
    }
}
