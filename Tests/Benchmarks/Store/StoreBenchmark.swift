import Foundation
import ReportStore

/// Measures the report store: how large a million messages of one day make it, and how fast they come in.
///
///     StoreBenchmark [MESSAGES]
///     StoreBenchmark send [ROWS]
///     StoreBenchmark import [REPORTS]
///     StoreBenchmark explain [MESSAGES]
///
/// 100,000 sources send with Zipf's distribution (the n-th most active one 1/n as much as the first). Each speaks for one to three of
/// 20,000 author domains, whose mail is signed, and now and then fails as forwarded or forged mail does. The exit status is 1 where
/// a million messages take more than 60 MB, or fewer than 20,000 evaluations come in a second.
///
/// `send` measures how long the reports about 10,000 domains take, as `SendingBenchmark` says, `import` the way in, as
/// `ImportBenchmark` does, and `explain` the questions that `ExplainBenchmark` has.
@main
enum StoreBenchmark {
    private static let sizeLimit = 60_000_000
    private static let rateLimit = 20_000.0
    private static let batch = 1000

    static func main() throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        if arguments.first == "send" {
            try SendingBenchmark.run(Array(arguments.dropFirst()))
            return
        }
        if arguments.first == "import" {
            try ImportBenchmark.run(Array(arguments.dropFirst()))
            return
        }
        if arguments.first == "explain" {
            try ExplainBenchmark.run(Array(arguments.dropFirst()))
            return
        }
        let messages = arguments.first.flatMap { Int($0) } ?? 1_000_000
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "signet-store-\(ProcessInfo.processInfo.processIdentifier)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("reports.db").path
        var traffic = Traffic()
        var spent = Duration.zero
        var written = 0
        var milestone = 10_000
        var store: SQLiteReportStore? = SQLiteReportStore(path: path)
        print("  messages      MB    groups  evaluations/s")
        while written < messages {
            let evaluations = (0..<min(batch, messages - written)).map { _ in traffic.next() }
            spent += try ContinuousClock().measure { try store?.write(evaluations) }
            written += evaluations.count
            if written == milestone || written == messages {
                let groups = try count(store)
                print(
                    String(
                        format: "%10d  %6.1f  %8d  %13.0f", written, Double(try size(path)) / 1e6,
                        groups, Double(written) / (spent / .seconds(1))))
                milestone *= 10
            }
        }
        // The log of the last moments goes into the file as it is closed.
        store = nil
        let size = try size(path)
        let rate = Double(written) / (spent / .seconds(1))
        print("closed: \(size) octets, \(size / max(1, written)) for each message")
        let isSmall = size * 1_000_000 / max(1, written) <= sizeLimit || written < 1_000_000
        if !isSmall || rate < rateLimit { exit(1) }
    }

    private static func count(_ store: SQLiteReportStore?) throws -> Int {
        var groups = 0
        for policy in try store?.policies(on: Traffic.day) ?? [] {
            try store?.counts(under: policy, on: Traffic.day) { _ in groups += 1 }
        }
        return groups
    }

    /// The octets of the database and its log.
    private static func size(_ path: String) throws -> Int {
        try ["", "-wal"].reduce(0) { sum, suffix in
            guard FileManager.default.fileExists(atPath: path + suffix) else { return sum }
            let attributes = try FileManager.default.attributesOfItem(atPath: path + suffix)
            return sum + (attributes[.size] as? Int ?? 0)
        }
    }
}

/// Evaluations as a large host sees them, the same in every run.
struct Traffic {
    /// Their day.
    static let day: Int64 = 20_775
    private static let sources = 100_000
    private static let domains = 20_000

    private var state: UInt64 = 0x5167_4E65_7400_0001
    /// The sum of the weights up to each source.
    private let weights: [Double]

    init() {
        var sum = 0.0
        weights = (1...Self.sources).map { rank in
            sum += 1 / Double(rank)
            return sum
        }
    }

    mutating func next() -> Evaluation {
        let source = zipf()
        let seed = UInt64(source) &* 0x9E37_79B9_7F4A_7C15 >> 33
        let domain = (Int(seed) + random(below: 1 + source % 3) * 7919) % Self.domains
        let name = "mail\(domain).example-company.test"
        // Of a hundred messages one is forwarded and one forged.
        let luck = random(below: 100)
        var evaluation = Evaluation(
            received: Self.day * 86_400 + Int64(random(below: 86_400)),
            reporter: "mx.receiver.test", headerFrom: name, result: luck == 1 ? "fail" : "pass",
            disposition: luck == 1 ? "quarantine" : "none")
        evaluation.sourceAddress =
            source % 5 == 0
            ? "2001:db8:\(String(source >> 8, radix: 16)):\(String(source & 0xFF, radix: 16))::19"
            : "198.\(18 + source >> 16).\(source >> 8 & 0xFF).\(source & 0xFF)"
        evaluation.queueID = "4XyZ\(luck)"
        evaluation.helo = "out.\(name)"
        evaluation.envelopeFrom = luck == 0 ? "forwarder.test" : "bounce.\(name)"
        evaluation.policy = Evaluation.Policy(
            domain: name, applied: "quarantine", p: "quarantine",
            reportAddresses: ["mailto:dmarc@\(name)", "mailto:\(domain)@reports.test"])
        evaluation.isDKIMAligned = luck != 1
        evaluation.isSPFAligned = luck > 1
        evaluation.authentications = [
            .init(
                mechanism: "dkim", domain: name, selector: "s\(domain % 4)",
                result: luck == 1 ? "fail" : "pass"),
            .init(
                mechanism: "spf", domain: evaluation.envelopeFrom ?? name, scope: "mfrom",
                result: luck > 1 ? "pass" : "softfail"),
        ]
        return evaluation
    }

    private mutating func zipf() -> Int {
        let wanted = Double(random(below: 1 << 53)) / Double(1 << 53) * (weights.last ?? 0)
        var (low, high) = (0, weights.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if weights[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// SplitMix64.
    private mutating func random(below bound: Int) -> Int {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return Int((value ^ value >> 31) % UInt64(bound))
    }
}
