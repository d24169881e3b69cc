internal import TestKit

/// CPU time of scrubbing one 2 kB message of which ten fields go, beside a filter that does nothing and one in C that deletes the
/// same fields without looking; and memory.
enum ScrubExperiments {
    static let all: Experiments = [
        "costs": { try run(rounds: 9, count: 2000) },
        "profile": { try profile(count: 20_000) },
    ]

    /// The fields that the default rules remove.
    static let removed = [
        "X-Originating-IP", "X-Mailer", "User-Agent", "X-PHP-Originating-Script", "X-MimeOLE",
        "X-Sender", "X-Source-Args", "X-Authenticated-Sender", "X-Client-IP",
        "X-Get-Message-Sender-Via",
    ]

    /// The fields of the ordinary message that the default rules would change too.
    static let others = ["Received", "User-Agent", "X-Mailer-Build"]

    /// The most microseconds above the filter that does nothing, and KiB of memory.
    private static let limits = (cost: 30.0, memory: 7.0 * 1024)

    private static var mail: Transcript.Mail {
        var message = Mail.ordinary
        message.fields.removeAll { others.contains($0.name) }
        for (index, name) in removed.enumerated() {
            message.fields.insert(.init(name, " 192.0.2.\(index) planted"), at: 2 * index)
        }
        return Transcript.Mail(
            clientName: "localhost", clientAddress: "127.0.0.1", message: message)
    }

    /// Measures in `rounds` rounds of `count` messages for each program, one after another.
    private static func run(rounds: Int, count: Int) throws {
        let directory = try TemporaryDirectory("signet-benchmark")
        let programs = try subjects(in: directory)
        var costs: [[Double]] = programs.map { _ in [] }
        for _ in 0..<rounds {
            for (index, subject) in programs.enumerated() {
                costs[index].append(try subject.cost(of: count))
            }
        }
        Report.table(["2 kB message, 10 fields removed", "CPU µs", "above null"]) {
            for (subject, cost) in zip(programs, costs) {
                Report.row(subject.name, cost.median, above(costs[0], cost))
            }
        }
        Report.limit("signet-scrub: µs above null", above(costs[0], costs[2]), atMost: limits.cost)
        let size = try withExtendedLifetime(programs) { Double(try programs[2].meter.pss) }
        Report.limit("signet-scrub: KiB of PSS afterwards", size, atMost: limits.memory)
    }

    private static func profile(count: Int) throws {
        let directory = try TemporaryDirectory("signet-profile")
        try Profile.run(Array(subjects(in: directory).dropFirst()), count: count)
    }

    /// The null filter, the filter in C that deletes, and ours.
    private static func subjects(in directory: TemporaryDirectory) throws -> [Subject] {
        let null = try DaemonProcess.path(of: "NullFilter")
        let sockets = ["null", "deleter"].map(directory.file)
        let nothing = try ChildProcess(null, [sockets[0], "--header"])
        let deleter = try ChildProcess(null, [sockets[1], "--header"] + removed)
        return [
            try .started("null filter", sockets[0], nothing, pid: nothing.pid, mail, nil),
            try .started(
                "C filter, deletes", sockets[1], deleter, pid: deleter.pid, mail, removed[9]),
            try scrub(),
        ]
    }

    /// Ours.
    static func scrub(_ extra: String = "") throws -> Subject {
        let directory = try TemporaryDirectory("signet-benchmark")
        let socket = directory.file("scrub")
        let daemon = try DaemonProcess(
            "signet-scrub", configuration: configuration + extra + "Socket unix:\(socket)\n",
            directory: directory)
        return try .started(
            "signet-scrub", socket, daemon, pid: daemon.pid, mail, removed[9])
    }

    /// The default rules, for mail from this machine.
    static let configuration = """
        InternalHosts 127.0.0.1
        PostfixDirectory /nonexistent

        """

    /// The median of what each round's cost is above that of the same round without work.
    private static func above(_ base: [Double], _ costs: [Double]) -> Double {
        zip(costs, base).map { $0 - $1 }.median
    }
}
