internal import Foundation
internal import TestKit

/// Measures what a question costs signet-spf, beside Debian's policyd-spf in the same run.
@main
enum SPFBenchmark {
    /// The part of policyd-spf's time that signet-spf may take.
    private static let mostOfPeer = 1.0 / 15
    /// KB in memory with 200 connections.
    private static let mostMemory = 9_000

    static func main() throws {
        let dns = try NSDServer(PolicyLoad.zone)
        defer { dns.stop() }
        let ratio = try compareCosts(dns)
        let memory = try memoryOfConnections(dns)
        exit(ratio <= mostOfPeer && memory <= mostMemory ? 0 : 1)
    }

    /// The part of policyd-spf's time that signet-spf takes.
    private static func compareCosts(_ dns: NSDServer) throws -> Double {
        let directory = try TemporaryDirectory("signet-bench")
        let ours = try PolicySubject.signet(dns.nameserver, in: directory, connections: 8)
        let peers = try [false, true].map {
            try PolicySubject.peer(
                dns.nameserver, in: directory, connections: 8, cachesAnswers: $0)
        }
        write("| policy server | CPU, microseconds a question | answers |\n|---|---|---|")
        // Alternating rounds, so that what else the machine does falls on all of them.
        var costs: [[Double]] = [[], [], []]
        let subjects = [ours] + peers
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
        let medians = costs.map { $0.sorted()[$0.count / 2] }
        for (index, subject) in subjects.enumerated() {
            let answers = loads[index].answers.sorted { $0.key < $1.key }
                .map { "\($0.key.debugDescription) \($0.value)" }.joined(separator: ", ")
            write("| \(subject.name) | \(rounded(medians[index])) | \(answers) |")
        }
        write("")
        write("- of policyd-spf's time: 1/\(rounded(medians[1] / medians[0])) (at most 1/15)")
        write("- of its time with a DNS cache: 1/\(rounded(medians[2] / medians[0]))")
        return medians[0] / medians[1]
    }

    /// The memory of a daemon with 200 connections that have asked and are idle, in KB.
    private static func memoryOfConnections(_ dns: NSDServer) throws -> Int {
        var memory: [Int: Int] = [:]
        for count in [8, 200, 1_000] {
            let subject = try PolicySubject.signet(
                dns.nameserver, in: TemporaryDirectory("signet-bench"), connections: count)
            var load = PolicyLoad()
            try load.run(5 * count, on: subject.connections)
            let busy = try subject.proportionalKB
            sleep(2)
            let idle = try subject.proportionalKB
            write(
                "- PSS with \(count) connections: \(busy) KB just after questions, \(idle) KB idle")
            memory[count] = idle
        }
        return memory[200] ?? .max
    }

    private static func rounded(_ value: Double) -> String {
        String(format: value < 10 ? "%.1f" : "%.0f", value)
    }

    private static func write(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }
}
