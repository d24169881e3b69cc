/// Memory after many messages, and what the daemon does when there are none.
enum Memory {
    /// Measures the proportional set size after so many messages.
    static func run(counts: [Int]) throws {
        let bench = try Bench()
        for subject in [try bench.signer(bench.keys.rsa), try bench.verifier()] {
            var delivered = 100
            var sizes: [Double] = []
            for count in counts {
                try Load.deliver(count - delivered, to: subject)
                delivered = count
                let size = Double(try subject.meter.pss) / 1024
                sizes.append(size)
                Report.limit(
                    "\(subject.name): MiB of PSS after \(count) messages", size, atMost: 9)
            }
            guard let first = sizes.first, let last = sizes.last, sizes.count > 1 else { continue }
            Report.limit("\(subject.name): MiB grown since then", last - first, atMost: 0.5)
        }
    }
}
