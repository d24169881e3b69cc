internal import Glibc
internal import TestKit

/// Every daemon beside the floor that does the same, in one run.
enum RatioExperiments {
    static let all: Experiments = [
        "kept": { try kept(rounds: 9, count: 500) },
        "new": { try new(rounds: 9, count: 300) },
        "pace": { try pace(rounds: 5, count: 600) },
        "idle": { try idle(connections: 1_000) },
        "ready": { try ready(rounds: 15) },
        "observed": { try observed(rounds: 15, count: 1_000) },
        "stored": { try stored(rounds: 15, count: 1_000) },
        "instructions": { try instructions(count: 400) },
    ]

    private static let heads = ["CPU µs a message", "ours", "floor", "ratio", "at most"]

    /// Measures both of each pair, one after the other, in rounds.
    ///
    /// - Parameters:
    ///   - pairs: what is compared.
    ///   - rounds: how often.
    ///   - limit: the limit of a pair.
    ///   - cost: measures one program.
    /// - Throws: what `cost` throws.
    private static func compare(
        _ pairs: [RatioPair], rounds: Int, limit: (RatioPair) -> Double?,
        cost: (Subject) throws -> Double
    ) throws {
        var ours = pairs.map { _ in [Double]() }
        var floors = ours
        for round in 0..<rounds {
            for (index, pair) in pairs.enumerated() {
                // Each goes first every other time.
                if round % 2 == 0 { floors[index].append(try cost(pair.floor)) }
                ours[index].append(try cost(pair.ours))
                if round % 2 == 1 { floors[index].append(try cost(pair.floor)) }
            }
        }
        for (index, pair) in pairs.enumerated() {
            Report.ratio(pair.name, ours[index], floor: floors[index], atMost: limit(pair))
        }
    }

    /// 8 connections that are kept, and a policy server's.
    private static func kept(rounds: Int, count: Int) throws {
        let lineup = try Lineup()
        try Report.table(heads) {
            try compare(lineup.pairs, rounds: rounds, limit: \.kept) { try $0.cost(of: count) }
            try policy(rounds: rounds, count: 8 * count)
        }
        withExtendedLifetime(lineup) {}
    }

    /// A new connection for each message, 8 at a time.
    private static func new(rounds: Int, count: Int) throws {
        let lineup = try Lineup()
        try Report.table(heads) {
            try compare(lineup.pairs, rounds: rounds, limit: \.new) {
                try $0.cost(of: count, by: Visits(count: count, clients: 8))
            }
        }
        withExtendedLifetime(lineup) {}
    }

    /// 60 SMTP clients with connections of their own, 30 ms between their commands.
    private static func pace(rounds: Int, count: Int) throws {
        let floors = try FloorBench()
        let mail = Transcript.Mail(message: Mail.ordinary)
        let floor = try floors.floor("null", mail: mail)
        let pairs = [
            RatioPair(
                name: "transport alone", ours: try floors.signetNull(mail: mail), floor: floor,
                kept: nil, new: 1.2),
            RatioPair(
                name: "libmilter alone", ours: try floors.libmilterNull(mail: mail), floor: floor,
                kept: nil, new: nil),
        ]
        try Report.table(heads) {
            try compare(pairs, rounds: rounds, limit: \.new) {
                try $0.cost(of: count, by: Visits(count: count, clients: 60, pause: 30_000))
            }
        }
        withExtendedLifetime(floors) {}
    }

    /// Questions to signet-spf whose answers are in its cache, beside a policy server in C.
    private static func policy(rounds: Int, count: Int) throws {
        let dns = try NSDServer(PolicyLoad.zone)
        defer { dns.stop() }
        let directory = try TemporaryDirectory("signet-floor")
        let subjects = [
            try PolicySubject.signet(dns.nameserver, in: directory, connections: 8),
            try PolicySubject.floor(in: directory, connections: 8),
        ]
        var costs: [[Double]] = [[], []]
        var load = PolicyLoad()
        for round in 0...rounds {
            for (index, subject) in subjects.enumerated() {
                let before = try subject.cpuMicroseconds
                try load.run(count, on: subject.connections)
                // The first round fills the cache.
                guard round > 0 else { continue }
                costs[index].append((try subject.cpuMicroseconds - before) / Double(count))
            }
        }
        Report.ratio("a cached SPF question", costs[0], floor: costs[1], atMost: 3)
    }

    /// What an idle connection adds to the memory of each daemon.
    private static func idle(connections: Int) throws {
        let bench = try Bench()
        let subjects = [
            try bench.signer(bench.keys.rsa), try bench.verifier(), try ScrubExperiments.scrub(),
            try DMARCBench().ours(),
        ]
        for subject in subjects {
            try Load.deliver(1_000, to: subject)
            sleep(1)
            let before = try subject.meter.pss
            let lines = try (0..<connections).map { _ in
                try MilterLine(subject.socket, subject.mail)
            }
            let negotiated = try subject.meter.pss
            for line in lines { try line.deliver() }
            sleep(2)
            let after = try subject.meter.pss
            for line in lines { line.quit() }
            let name = "\(subject.name): KB of PSS for each of \(connections) idle connections"
            let each = Double(connections)
            Report.limit("\(name), after a message", Double(after - before) / each, atMost: 2)
            Report.write("- before one: \(Report.round(Double(negotiated - before) / each))")
        }
        let dns = try NSDServer(PolicyLoad.zone)
        defer { dns.stop() }
        let directory = try TemporaryDirectory("signet-floor")
        let spf = try PolicySubject.signet(dns.nameserver, in: directory, connections: 8)
        var load = PolicyLoad()
        try load.run(1_000, on: spf.connections)
        sleep(1)
        let before = try spf.proportionalKB
        let idle = try spf.connect(connections)
        try load.run(connections, on: idle)
        sleep(2)
        Report.limit(
            "signet-spf: KB of PSS for each of \(idle.count) idle connections, after a question",
            Double(try spf.proportionalKB - before) / Double(connections), atMost: 2)
    }

    /// From exec to `READY=1`.
    private static func ready(rounds: Int) throws {
        let keys = try Keys()
        let configurations = [
            ("signet-dkim", keys.directives(keys.rsa)), ("signet-dmarc", "ReportStore none\n"),
            ("signet-scrub", "PostfixDirectory /nonexistent\n"), ("signet-spf", ""),
        ]
        for (program, configuration) in configurations {
            try Startup.run(program, configuration, rounds: rounds)
        }
    }
}
