internal import Glibc
internal import TestKit

/// Experiments by name.
typealias Experiments = KeyValuePairs<String, @Sendable () throws -> Void>

/// Runs the experiments of one subject, which are named on the command line: `dkim costs queue`;
/// without names all but the long ones.
@main
enum SignetBenchmark {
    private static let subjects: KeyValuePairs<String, Experiments> = [
        "ratios": RatioExperiments.all, "dkim": DKIMExperiments.all, "dmarc": DMARCExperiments.all,
        "scrub": ScrubExperiments.all, "spf": SPFExperiments.all, "soak": SoakExperiments.all,
        "blinding": BlindingExperiment.all, "worst": WorstExperiments.all,
        "domains": DomainExperiments.all,
    ]

    private static let onRequest = ["flat", "profile", "instructions"]

    static func main() throws {
        let words = CommandLine.arguments.dropFirst()
        let named = words.dropFirst()
        guard let subject = subjects.first(where: { $0.key == words.first }) else {
            throw TestKitError("name one of \(subjects.map(\.key).joined(separator: ", "))")
        }
        let experiments = subject.value
        for name in named where !experiments.contains(where: { $0.key == name }) {
            let known = experiments.map(\.key).joined(separator: ", ")
            throw TestKitError("no experiment called \(name); there are \(known)")
        }
        try allowManyDescriptors()
        for (name, body) in experiments
        where named.isEmpty ? !onRequest.contains(name) : named.contains(name) {
            Report.write("\n## \(subject.key) \(name)\n")
            try body()
        }
        if !Report.isGood { exit(1) }
    }

    /// Raises the limit on descriptors, for this process and its children, to what is allowed.
    private static func allowManyDescriptors() throws {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw TestKitError("getrlimit: errno \(errno)")
        }
        limit.rlim_cur = min(limit.rlim_max, 4_096)
        guard unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw TestKitError("setrlimit: errno \(errno)")
        }
    }
}
