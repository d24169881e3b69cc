internal import TestKit

/// Runs the experiments that are named on the command line, "costs" by default.
@main
enum DKIMBenchmark {
    private static let experiments: KeyValuePairs<String, @Sendable () throws -> Void> = [
        "costs": { try Costs.run(rounds: 9, count: 1000) },
        "profile": { try Profile.run() },
    ]

    static func main() throws {
        let named = CommandLine.arguments.dropFirst()
        for name in named where !experiments.contains(where: { $0.key == name }) {
            let known = experiments.map(\.key).joined(separator: ", ")
            throw TestKitError("no experiment called \(name); there are \(known)")
        }
        let chosen = named.isEmpty ? ["costs"] : Array(named)
        for (name, body) in experiments where chosen.contains(name) { try body() }
    }
}
