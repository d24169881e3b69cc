/// Memory after many messages, and whether it goes on growing.
enum Memory {
    /// Measures the proportional set size after so many messages.
    static func run(_ subjects: [Subject], counts: [Int], atMost limit: Double) throws {
        for subject in subjects {
            var delivered = 100
            var sizes: [Double] = []
            for count in counts {
                try Load.deliver(count - delivered, to: subject)
                delivered = count
                let size = Double(try subject.meter.pss) / 1024
                sizes.append(size)
                Report.limit(
                    "\(subject.name): MiB of PSS after \(count) messages", size, atMost: limit)
            }
            guard let first = sizes.first, let last = sizes.last, sizes.count > 1 else { continue }
            Report.limit("\(subject.name): MiB grown since then", last - first, atMost: 0.5)
        }
    }
}
