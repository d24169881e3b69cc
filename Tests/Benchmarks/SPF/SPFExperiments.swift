internal import Glibc
internal import TestKit

/// What a question costs signet-spf, beside Debian's policyd-spf in the same run, and its memory.
enum SPFExperiments {
    static let all: Experiments = [
        "costs": { try costs() },
        "memory": { try memory() },
    ]

    private static func costs() throws {
        let dns = try NSDServer(PolicyLoad.zone)
        defer { dns.stop() }
        let directory = try TemporaryDirectory("signet-bench")
        let ours = try PolicySubject.signet(dns.nameserver, in: directory, connections: 8)
        let peers = try [false, true].compactMap {
            try PolicySubject.peer(
                dns.nameserver, in: directory, connections: 8, cachesAnswers: $0)
        }
        // Alternating rounds, so that what else the machine does falls on all of them.
        let subjects = [ours] + peers
        var costs: [[Double]] = subjects.map { _ in [] }
        var loads = subjects.map { _ in PolicyLoad() }
        for round in 0...5 {
            for (index, subject) in subjects.enumerated() {
                let count = index == 0 ? 8_000 : 800
                let before = try subject.cpuMicroseconds
                try loads[index].run(count, on: subject.connections)
                // The first round fills caches.
                guard round > 0 else { continue }
                costs[index].append((try subject.cpuMicroseconds - before) / Double(count))
            }
        }
        let medians = costs.map(\.median)
        Report.write("| policy server | CPU µs a question | answers |\n|---|---|---|")
        for (index, subject) in subjects.enumerated() {
            let answers = loads[index].answers.sorted { $0.key < $1.key }
                .map { "\($0.key.debugDescription) \($0.value)" }.joined(separator: ", ")
            Report.write("| \(subject.name) | \(Report.round(medians[index])) | \(answers) |")
        }
        Report.write("")
        guard medians.count == 3 else {
            return Report.write("- policyd-spf is not there (postfix-policyd-spf-python)")
        }
        Report.limit("part of policyd-spf's time", medians[0] / medians[1], atMost: 1.0 / 15)
        Report.write(
            "- part of its time with a DNS cache: \(Report.round(medians[0] / medians[2]))")
    }

    /// The memory of a daemon with connections that have asked and are idle, in KB.
    private static func memory() throws {
        let dns = try NSDServer(PolicyLoad.zone)
        defer { dns.stop() }
        for count in [8, 200, 1_000] {
            let subject = try PolicySubject.signet(
                dns.nameserver, in: TemporaryDirectory("signet-bench"), connections: count)
            var load = PolicyLoad()
            try load.run(5 * count, on: subject.connections)
            let busy = try subject.proportionalKB
            sleep(2)
            let idle = try subject.proportionalKB
            Report.write("- PSS with \(count) connections just after questions: \(busy) KB")
            Report.limit(
                "PSS with \(count) connections, KB", Double(idle),
                atMost: count > 200 ? 12_000 : 9_000)
        }
    }
}
