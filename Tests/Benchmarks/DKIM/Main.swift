internal import Glibc
internal import TestKit

/// Runs the experiments that are named on the command line; without names all but the long "flat" and "profile".
@main
enum DKIMBenchmark {
    private static let experiments: KeyValuePairs<String, @Sendable () throws -> Void> = [
        "costs": { try Costs.run(rounds: 9, count: 1000) },
        "large": { try LargeMessage.run() },
        "memory": { try Memory.run(counts: [10_000]) },
        "flat": { try Memory.run(counts: [10_000, 100_000]) },
        "startup": { try Startup.run(rounds: 15) },
        "tcp": { try OverTCP.run(messages: 100) },
        "idle": { try Idle.run(seconds: 20, connections: 8) },
        "queue": { try HeadOfLine.run(rounds: 3) },
        "scrub": { try Scrub.run(rounds: 9, count: 2000) },
        "scrub-profile": { try Profile.run(scrubs: 20_000) },
        "profile": { try Profile.run(count: 10_000) },
    ]

    private static let onRequest = ["flat", "profile", "scrub", "scrub-profile"]

    static func main() throws {
        let named = CommandLine.arguments.dropFirst()
        for name in named where !experiments.contains(where: { $0.key == name }) {
            let known = experiments.map(\.key).joined(separator: ", ")
            throw TestKitError("no experiment called \(name); there are \(known)")
        }
        for (name, body) in experiments
        where named.isEmpty ? !onRequest.contains(name) : named.contains(name) {
            Report.write("\n## \(name)\n")
            try body()
        }
        if !Report.isGood { exit(1) }
    }
}
