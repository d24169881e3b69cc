internal import Glibc
internal import TestKit

/// Runs the experiments on one of the milters that are named on the command line: `dkim costs queue`; without names all but the
/// long ones.
@main
enum MilterBenchmark {
    /// Experiments by name.
    typealias Experiments = KeyValuePairs<String, @Sendable () throws -> Void>

    private static let milters: KeyValuePairs<String, Experiments> = [
        "dkim": DKIMExperiments.all, "dmarc": DMARCExperiments.all,
        "scrub": ScrubExperiments.all,
    ]

    private static let onRequest = ["flat", "profile"]

    static func main() throws {
        let named = CommandLine.arguments.dropFirst(2)
        guard
            let milter = milters.first(where: { $0.key == CommandLine.arguments.dropFirst().first })
        else { throw TestKitError("name dkim, dmarc or scrub") }
        let experiments = milter.value
        for name in named where !experiments.contains(where: { $0.key == name }) {
            let known = experiments.map(\.key).joined(separator: ", ")
            throw TestKitError("no experiment called \(name); there are \(known)")
        }
        for (name, body) in experiments
        where named.isEmpty ? !onRequest.contains(name) : named.contains(name) {
            Report.write("\n## \(milter.key) \(name)\n")
            try body()
        }
        if !Report.isGood { exit(1) }
    }
}
