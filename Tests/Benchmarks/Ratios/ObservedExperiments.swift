internal import Glibc
internal import TestKit

/// A daemon as it is, and one that keeps a record and gives metrics.
private struct ObservedPair {
    let name: String
    let plain: Subject
    let observed: Subject
}

extension RatioExperiments {
    /// The most microseconds that record and metrics, or the store, may cost on the way to the answer.
    private static let mostObserving = 3.0

    /// What record and metrics cost: on the way to the answer, and on the thread that writes the record.
    static func observed(rounds: Int, count: Int) throws {
        let directory = try TemporaryDirectory("signet-observed")
        let bench = try Bench()
        let evaluation = try DMARCBench()
        let off = "SyslogSuccess no\nFlightRecord none\nMetrics none\n"
        func on(_ name: String) -> String {
            """
            SyslogSuccess no
            FlightRecord \(directory.file("\(name).flight"))
            Metrics \(directory.file("\(name).sock"))

            """
        }
        func store(_ name: String) -> String { "ReportStore \(directory.file("\(name).db"))\n" }
        let key = bench.keys.ed25519
        let pairs = [
            ObservedPair(
                name: "signs, ed25519-sha256", plain: try bench.signer(key, off),
                observed: try bench.signer(key, on("sign"))),
            ObservedPair(
                name: "verifies, rsa-sha256", plain: try bench.verifier(off),
                observed: try bench.verifier(on("verify"))),
            ObservedPair(
                name: "scrubs ten fields", plain: try ScrubExperiments.scrub(off),
                observed: try ScrubExperiments.scrub(on("scrub"))),
            ObservedPair(
                name: "SPF, DKIM, DMARC and the store",
                plain: try evaluation.ours(store("off") + off),
                observed: try evaluation.ours(store("on") + on("dmarc"))),
        ]
        try compare(
            pairs, writer: "flight-record", limit: "record and metrics", rounds: rounds,
            count: count)
        withExtendedLifetime(evaluation) {}
    }

    /// What the report store costs: on the way to the answer, and on the thread that writes to it.
    static func stored(rounds: Int, count: Int) throws {
        let directory = try TemporaryDirectory("signet-stored")
        let evaluation = try DMARCBench()
        let off = "FlightRecord none\nMetrics none\n"
        let pair = ObservedPair(
            name: "SPF, DKIM and DMARC", plain: try evaluation.ours("ReportStore none\n" + off),
            observed: try evaluation.ours("ReportStore \(directory.file("reports.db"))\n" + off))
        try compare(
            [pair], writer: "report-store", limit: "the store", rounds: rounds, count: count)
        withExtendedLifetime(evaluation) {}
    }

    /// Measures both of each pair, one after the other, in rounds.
    private static func compare(
        _ pairs: [ObservedPair], writer: String, limit: String, rounds: Int, count: Int
    ) throws {
        var differences: [(name: String, cost: Double)] = []
        try Report.table(["CPU µs a message", "off", "on", "on, the writer", "more"]) {
            for pair in pairs {
                var (plain, answering, writing) = ([Double](), [Double](), [Double]())
                for round in 0..<rounds {
                    // Each goes first every other time.
                    if round % 2 == 0 { plain.append(try pair.plain.cost(of: count)) }
                    let (answer, write) = try cost(of: count, pair.observed, writer)
                    answering.append(answer)
                    writing.append(write)
                    if round % 2 == 1 { plain.append(try pair.plain.cost(of: count)) }
                }
                let more = zip(answering, plain).map { $0 - $1 }.median
                Report.row(pair.name, plain.median, answering.median, writing.median, more)
                differences.append((pair.name, more))
            }
        }
        for (name, cost) in differences {
            Report.limit(
                "\(name): µs for \(limit) on the way to the answer", cost, atMost: mostObserving)
        }
    }

    /// The time of each message on the threads that answer, and on the one that writes.
    private static func cost(
        of count: Int, _ subject: Subject, _ writer: String
    ) throws -> (answering: Double, writing: Double) {
        let before = try (
            all: subject.meter.cpuMicroseconds,
            writing: subject.meter.cpuMicroseconds(ofThreads: writer)
        )
        try Load.deliver(count, to: subject)
        // What has been told is written within a quarter of a second, or half a second.
        usleep(700_000)
        let writing = try subject.meter.cpuMicroseconds(ofThreads: writer) - before.writing
        let all = try subject.meter.cpuMicroseconds - before.all
        return ((all - writing) / Double(count), writing / Double(count))
    }
}
