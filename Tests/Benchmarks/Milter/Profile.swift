internal import Glibc
internal import TestKit

/// Our daemons under load with `perf` beside it: where the time goes, with the null filter to compare.
enum Profile {
    /// Writes for each subject how the time is shared among libraries, functions, and functions with what they call.
    static func run(_ subjects: [Subject], count: Int) throws {
        for subject in subjects {
            let directory = try TemporaryDirectory("signet-profile")
            let data = directory.file("perf.data")
            let perf = try ChildProcess(
                "/usr/bin/perf",
                [
                    "record", "-q", "-e", "cpu-clock", "-F", "4000", "--call-graph", "fp", "-p",
                    "\(subject.meter.pid)", "-o", data,
                ])
            let cost = try subject.cost(of: count)
            perf.send(SIGINT)
            _ = try perf.waitForEnd(seconds: 20)
            Report.write("## \(subject.name): \(cost) µs a message\n")
            for order in [["--no-children", "-s", "dso"], ["--no-children"], ["--children"]] {
                let report = try Command.require(
                    "/usr/bin/perf",
                    ["report", "-i", data, "--stdio", "-q", "-g", "none", "--percent-limit", "0.3"]
                        + order)
                Report.write(report)
            }
        }
    }
}
