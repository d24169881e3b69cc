internal import Glibc
internal import TestKit

/// What others wait for while many sessions wait for a DNS that does not answer.
///
/// All sessions end their messages at the same instants, which is when a pool of threads queues events
/// behind those that wait.
enum HeadOfLine {
    /// Measures.
    ///
    /// - Parameters:
    ///   - rounds: how often.
    ///   - sessions: how many wait.
    ///   - quickSessions: how many others there are; few, for what they wait for each other counts too.
    ///   - socket: the filter's socket.
    ///   - quick: the mail of the others.
    ///   - stuck: makes the mail of one that waits; the label is for names of its own.
    /// - Throws: where a filter refuses a message.
    static func run(
        rounds: Int, sessions: Int = 200, quickSessions: Int = 4, socket: String,
        quick: Transcript.Mail,
        stuck: (_ label: String) throws -> Transcript.Mail
    ) throws {
        let warm = try MilterLine(socket, quick)
        try warm.deliver()
        warm.quit()

        var waits: [Double] = []
        var stuckWaits: [Double] = []
        for round in 0..<rounds {
            let waiting = try (0..<sessions).map { index in
                try MilterLine(socket, stuck("r\(round)s\(index)"))
            }
            let others = try (0..<quickSessions).map { _ in try MilterLine(socket, quick) }
            // Both kinds at once, one of each in turn.
            for (index, one) in waiting.enumerated() {
                try one.begin()
                if index < others.count { try others[index].begin() }
            }
            try follow(others, busyUntil: waiting, &waits, &stuckWaits)
            for line in waiting + others { line.quit() }
        }
        let name = "s that a message takes beside \(sessions) on dead DNS"
        Report.limit("\(name), p99", waits.percentile(0.99), atMost: 0.02)
        Report.limit("\(name), worst", waits.max() ?? .nan, atMost: 0.02)
        Report.write("- \(waits.count) messages; those on dead DNS took \(stuckWaits.median) s")
    }

    /// Goes on sending on the quick lines, all at the same instants, until the stuck ones have ended.
    private static func follow(
        _ others: [MilterLine], busyUntil stuck: [MilterLine], _ waits: inout [Double],
        _ stuckWaits: inout [Double]
    ) throws {
        let start = wallMicroseconds()
        var begun = start
        var waiting = Set(others.map(\.descriptor))
        var left = Set(stuck.map(\.descriptor))
        while !left.isEmpty || !waiting.isEmpty {
            let all = (others + stuck).filter {
                waiting.contains($0.descriptor) || left.contains($0.descriptor)
            }
            for line in try Load.wait(for: all, seconds: 0.05) where try line.advance() {
                let now = wallMicroseconds()
                if left.remove(line.descriptor) != nil {
                    stuckWaits.append((now - start) / 1e6)
                } else {
                    waiting.remove(line.descriptor)
                    waits.append((now - begun) / 1e6)
                }
            }
            if waiting.isEmpty, !left.isEmpty, wallMicroseconds() - begun > 100_000 {
                begun = wallMicroseconds()
                for line in others { try line.begin() }
                waiting = Set(others.map(\.descriptor))
            }
        }
    }
}
