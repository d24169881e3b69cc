internal import TestKit

/// Our daemon under load and `perf` beside it: where the time goes.
enum Profile {
    /// Writes the hottest functions of signing with Ed25519 and of verifying.
    static func run() throws {
        let bench = try Bench()
        for subject in [try bench.signer(bench.keys.ed25519), try bench.verifier()] {
            let directory = try TemporaryDirectory("signet-profile")
            let data = directory.file("perf.data")
            let perf = try ChildProcess(
                "/usr/bin/perf",
                [
                    "record", "-q", "-e", "cpu-clock", "-F", "4000", "-p", "\(subject.meter.pid)",
                    "-o", data,
                ])
            try Load.deliver(20_000, to: subject)
            perf.send(2)
            _ = try perf.waitForEnd(seconds: 20)
            let hot = try Command.require(
                "/usr/bin/perf", ["report", "-i", data, "--stdio", "--percent-limit", "0.4"])
            Report.write("## \(subject.name)\n\n\(hot)")
        }
    }
}
