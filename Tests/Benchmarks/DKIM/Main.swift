internal import TestKit

/// Runs the experiments that are named on the command line, "costs" by default.
@main
enum DKIMBenchmark {
    private static let experiments: KeyValuePairs<String, @Sendable () throws -> Void> = [
        "costs": { try Costs.run(rounds: 9, count: 1000) }
    ]

    static func main() throws {
        let named = CommandLine.arguments.dropFirst()
        for name in named where !experiments.contains(where: { $0.key == name }) {
            let known = experiments.map(\.key).joined(separator: ", ")
            throw TestKitError("no experiment called \(name); there are \(known)")
        }
        for (name, body) in experiments where named.isEmpty ? name == "costs" : named.contains(name)
        {
            try body()
        }
    }
}
